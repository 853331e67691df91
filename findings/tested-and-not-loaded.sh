#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# nginx 1.30.6 (Debian sid): a configuration that `nginx -t` finds good, and whose reload succeeds, is not used.
#
# One would guess: a configuration which a new nginx would start with, and which `nginx -t` has just tested,
# can be loaded by the one that runs. If it could not, `nginx -s reload` would say so.
#
# Instead: a zone in shared memory is carried over a reload with what is in it. When limit_req_zone counts
# by another key than before, its entries make no sense, so the running nginx refuses the whole new
# configuration: all servers go on with the old one. `nginx -t` cannot see that, because it knows nothing
# of the one that runs, and `nginx -s reload` only sends a signal. The error log has the only word of it.
#
# Seen on 2026-12-01, from a configuration that limits by $remote_addr and answers "first":
#
#                                    key changed    key and name of the zone changed
#     nginx -t                       exit 0         exit 0
#     nginx -s reload                exit 0         exit 0
#     answer afterwards              first          third
#     "[emerg] … uses the … key"     in the log     not there
#
# Why it matters: changing from one address to one token as what is limited is such a change. Whatever else the
# configuration brought, such as a door that was closed, is not in force either, and not before the next
# restart, which nobody then expects to change anything. A zone gets a new name with a new key; a
# reload is checked by asking the server, not by its exit code.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid nginx=1.30.6-2 libc6 libcrypt1 libpcre2-8-0 libssl3t64 zlib1g
free_port
mkdir "$lab/temp"

# configure ZONE KEY ANSWER
configure() {
    cat >"$lab/nginx.conf" <<EOF
pid $lab/pid;
error_log $lab/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $lab/temp/body;
    proxy_temp_path $lab/temp/proxy;
    fastcgi_temp_path $lab/temp/fastcgi;
    uwsgi_temp_path $lab/temp/uwsgi;
    scgi_temp_path $lab/temp/scgi;
    limit_req_zone $2 zone=$1:64k rate=100r/s;
    server {
        listen 127.0.0.1:$port;
        location / { limit_req zone=$1 burst=100; return 200 $3; }
    }
}
EOF
}

nginx() {
    "$lab/sid/run/nginx" -e "$lab/error.log" -c "$lab/nginx.conf" "$@" >>"$lab/output" 2>&1
}

answer() {
    local reply=""
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET / HTTP/1.0\r\n\r\n' >&3
    reply=$(cat <&3)
    exec 3>&-
    echo "${reply##*$'\n'}"
}

exit_of() {
    local status=0
    "$@" || status=$?
    echo $status
}

complaints() {
    grep -c 'emerg.*uses the.*key while previously' "$lab/error.log" || true
}


# The old workers take a moment to go.
answers_third() {
    for _ in {1..20}; do
        [ "$(answer)" = third ] || return
    done
}

complained() {
    [ "$(complaints)" = 1 ]
}

reload() {
    expect "nginx -t, $1" 0 "$(exit_of nginx -t)"
    expect "nginx -s reload, $1" 0 "$(exit_of nginx -s reload)"
}

# shellcheck disable=SC2016 # the variables are those of nginx
address='$remote_addr' token='$http_authorization'
configure zone "$address" first
start "$lab/sid/run/nginx" -e "$lab/error.log" -c "$lab/nginx.conf" -g 'daemon off;'
until_true listens "$port"
expect "answer" first "$(answer)"

configure zone "$token" second
reload "key changed"
until_true complained
expect "answer, key changed" first "$(answer)"
expect "complaints in the log" 1 "$(complaints)"

configure zone_by_token "$token" third
reload "key and name changed"
until_true answers_third
expect "answer, key and name changed" third "$(answer)"
expect "complaints in the log" 1 "$(complaints)"
verdict
