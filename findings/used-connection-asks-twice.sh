#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# nginx 1.30.6 (Debian sid): by its new defaults, auth_request asks some questions twice, of one server.
#
# One would guess: with one upstream server and neither proxy_next_upstream nor keepalive in the
# configuration, there is nobody else to ask: a question whose connection breaks is asked once. So it was
# with the same file in Debian 12's 1.22.1, which spoke HTTP/1.0 to upstreams.
#
# Instead: 1.30 speaks HTTP/1.1 to an upstream group and keeps 32 connections without being told. A question
# that goes out on a kept connection and gets no answer is sent again on another, to the same server, also
# if the service had read it: the failure of a kept connection does not count as a try. A POST to the
# application is not repeated so, but auth_request asks by GET whatever the client sent.
#
# Seen on 2026-12-01, three requests; the service reads the second request of a connection and closes:
#
#     as configured             200 200 200    5 questions: 1.1 1.2 2.1 2.2 3.1    (connection.request)
#     proxy_next_upstream off   200 500 200    3 questions: 1.1 1.2 2.1
#
# Why it matters: the service behind auth_request spends the token with the first question and refuses the
# second: a 401 or 403 for an honest client when the service restarts or loses its answer. The
# proxy must hand over an identity of the request ($request_id) that makes the second question the same
# one, or say "proxy_next_upstream off" and live with the 500. proxy_http_version 1.0 alone cures nothing.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid nginx=1.30.6-2 libpcre2-8-0 libcrypt1 libssl3t64 libzstd1 zlib1g libc6

# configure BACKEND_PORT PORT DIRECTIVE
configure() {
    cat <<END
daemon off;
master_process off;
error_log $lab/errors;
pid $lab/pid;
events {}
http {
    access_log off;
    client_body_temp_path $lab/body;
    proxy_temp_path $lab/proxy;
    fastcgi_temp_path $lab/fastcgi;
    uwsgi_temp_path $lab/uwsgi;
    scgi_temp_path $lab/scgi;
    upstream guard { server 127.0.0.1:$1; }
    server {
        listen 127.0.0.1:$2;
        root $lab;
        location / { auth_request /ask; }
        location = /ask {
            internal;
            proxy_pass http://guard;
            $3
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }
    }
}
END
}

page_status() {
    local status
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET /page HTTP/1.0\r\n\r\n' >&3
    read -r -t 10 _ status _ <&3
    exec 3>&-
    echo "$status"
}

# observe NAME DIRECTIVE: the client's three statuses, then each question as connection.request. The
# service counts from 1; the connection by which its start was seen is not one of them.
observe() {
    local name=$1 backend front
    free_port && backend=$port
    start perl "$(dirname "$0")/breaking-backend.pl" "$backend" "$lab/$name.questions"
    until_true listens "$backend"
    free_port && front=$port
    configure "$backend" "$front" "$2" >"$lab/$name.conf"
    start "$lab/sid/run/nginx" -c "$lab/$name.conf"
    until_true listens "$front"
    for _ in 1 2 3; do
        page_status "$front"
    done | paste -sd' '
    cut -d' ' -f1 "$lab/$name.questions" | awk -F. '{ print $1 - 1 "." $2 }' | paste -sd' '
}

echo page >"$lab/page"
seen=$(observe default "" | paste -sd:)
expect "as configured" "200 200 200:1.1 1.2 2.1 2.2 3.1" "$seen"
seen=$(observe off "proxy_next_upstream off;" | paste -sd:)
expect "proxy_next_upstream off" "200 500 200:1.1 1.2 2.1" "$seen"
seen=$(observe older "proxy_http_version 1.0;" | paste -sd:)
expect "proxy_http_version 1.0" "200 200 200:1.1 1.2 2.1 2.2 3.1" "$seen"
verdict
