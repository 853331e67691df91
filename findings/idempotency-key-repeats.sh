#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Caddy 2.11.4 (Debian sid): a header of the client decides whether Caddy's reverse_proxy sends a POST twice.
#
# One would guess: reverse_proxy without lb_retries or lb_try_duration hands a POST to its only upstream once, and
# answers 502 if the connection breaks; Idempotency-Key is a matter between client and application.
#
# Instead: Caddy stands on Go's HTTP transport, which takes a request with Idempotency-Key or
# X-Idempotency-Key for one that may be repeated. If it has no body and the kept connection that it went
# out on ends before an answer, it is sent again, although the application had read it. Without the header,
# or with a body, it is not.
#
# Seen on 2026-12-01; the application reads the second request of a connection and closes:
#
#     POST, no body                        502   read once
#     POST, no body, Idempotency-Key: 1    200   read twice
#     POST, body, Idempotency-Key: 1       502   read once
#     GET                                  200   read twice
#
# Why it matters: a POST without a body and a token in its head is how sessions are revoked, challenges
# fetched and one-time links consumed. The careful client that adds an Idempotency-Key is the one whose
# token arrives twice; the application must tie the token to that key, or to an id given by the proxy, so
# that the second arrival is the same use.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid caddy=2.11.4-1 libc6
export HOME=$lab XDG_DATA_HOME=$lab/data XDG_CONFIG_HOME=$lab/config

free_port && backend=$port
start perl "$(dirname "$0")/breaking-backend.pl" "$backend" "$lab/read"
until_true listens "$backend"

start_proxy() {
    free_port && front=$port
    cat >"$lab/$front" <<END
{
    admin off
    auto_https off
    persist_config off
}
http://127.0.0.1:$front {
    bind 127.0.0.1
    reverse_proxy 127.0.0.1:$backend
}
END
    start "$lab/sid/run/caddy" run --adapter caddyfile --config "$lab/$front"
    until_true listens "$front"
}

# ask PATH METHOD HEADERS BODY: the status.
ask() {
    local status
    exec 3<>"/dev/tcp/127.0.0.1/$front"
    printf '%s /%s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n%b\r\n%s' \
        "$2" "$1" "$front" "$3" "$4" >&3
    read -r -t 10 _ status _ <&3
    exec 3>&-
    echo "$status"
}

# A proxy of its own, so that its first request makes the connection that the second goes out on.
observe() {
    local seen
    start_proxy
    seen=$(ask "first-$front" GET '' '')
    seen+=" $(ask "second-$front" "$@")"
    echo "$seen, read $(grep -c "/second-$front " "$lab/read") times"
}

key='Idempotency-Key: 1\r\n'
seen=$(observe POST 'Content-Length: 0\r\n' '')
expect "POST" "200 502, read 1 times" "$seen"
seen=$(observe POST "Content-Length: 0\r\n$key" '')
expect "POST with a key" "200 200, read 2 times" "$seen"
seen=$(observe POST "Content-Length: 3\r\n$key" a=1)
expect "POST with a key and a body" "200 502, read 1 times" "$seen"
seen=$(observe GET '' '')
expect "GET" "200 200, read 2 times" "$seen"
verdict
