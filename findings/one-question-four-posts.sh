#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# HAProxy 3.2.26 (Debian sid): the HTTP client that it gives to Lua sends a POST four times, and its timeout is a
# quarter of how long the call takes.
#
# One would guess: httpclient():post{timeout = 1000} sends one POST and returns after a second at the latest.
# Between client and server, HAProxy repeats a request only while nothing of it was sent, unless retry-on
# says otherwise; for a POST more than ever.
#
# Instead: the client has a configuration of its own, in which a broken or silent answer is a reason to try
# three times more, whatever the method. Each try has a whole timeout. The service reads four whole POSTs, and the
# script gets one answer that does not say so: 502 at once, or 504 after four seconds.
#
# Seen on 2026-12-01, one request to HAProxy, whose Lua service posts once with timeout = 1000:
#
#     service reads and closes                             502    POST read 4 times
#     service reads and stays silent                       504    POST read 4 times, after 4 s
#     the same two with "httpclient.retries 0"             502, 504    once, and once after 1 s
#
# Why it matters: forward authentication in HAProxy is Lua with this client. A service that spends the token with
# the first POST and loses its answer refuses the next three, and HAProxy reports the last. And whoever
# reckons his deadline from the timeout is wrong by four. httpclient.retries 0 belongs in the global section.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid haproxy=3.2.26-1 libcrypt1 libjemalloc2 liblua5.4-0 libopentracing-c-wrapper0t64 \
    libopentracing1 libpcre2-8-0 libssl3t64 libzstd1 zlib1g libstdc++6 libgcc-s1 libc6

# Reads each request up to the body that is sent below; then closes, or keeps it waiting.
cat >"$lab/service.pl" <<'END'
use strict;
use warnings;
use IO::Socket::INET;
my ($port, $log, $silent) = @ARGV;
open(my $out, '>>', $log) or die $!;
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port", Listen => 8) or die $!;
my @waiting;
while (my $client = $listener->accept) {
    my $request = '';
    1 while $request !~ /token=T/ && sysread($client, $request, 4096, length $request);
    syswrite($out, "read\n") if $request =~ /\APOST .*token=T/s;
    push @waiting, $client if $silent;
}
END

configure() {
    cat >"$lab/ask.lua" <<END
core.register_service("ask", "http", function(applet)
    local answer = core.httpclient():post{
        url = "http://127.0.0.1:$1/check", body = "token=T", timeout = 1000
    }
    applet:set_status(answer.status)
    applet:start_response()
end)
END
    cat >"$lab/conf" <<END
global
    $3
    lua-load $lab/ask.lua
defaults
    mode http
    timeout connect 20s
    timeout client 20s
    timeout server 20s
frontend front
    bind 127.0.0.1:$2
    http-request use-service lua.ask
END
}

# observe SILENT DIRECTIVE: status, how often the POST was read, whole seconds.
observe() {
    local service front status began
    free_port && service=$port
    : >"$lab/read"
    start perl "$lab/service.pl" "$service" "$lab/read" "$1"
    until_true listens "$service"
    free_port && front=$port
    configure "$service" "$front" "$2"
    start "$lab/sid/run/haproxy" -db -f "$lab/conf"
    until_true listens "$front"
    began=$SECONDS
    exec 3<>"/dev/tcp/127.0.0.1/$front"
    printf 'GET / HTTP/1.0\r\n\r\n' >&3
    read -r -t 15 _ status _ <&3
    exec 3>&-
    [ $((SECONDS - began)) -lt 3 ] && began=soon || began=late
    echo "$status $(grep -c read "$lab/read") $began"
}

seen=$(observe 0 '')
expect "reads and closes" "502 4 soon" "$seen"
seen=$(observe 1 '')
expect "reads and stays silent" "504 4 late" "$seen"
seen=$(observe 0 'httpclient.retries 0')
expect "reads and closes, no retries" "502 1 soon" "$seen"
seen=$(observe 1 'httpclient.retries 0')
expect "reads and stays silent, no retries" "504 1 soon" "$seen"
verdict
