#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# curl and libcurl 8.23.0 (Debian sid): a POST that the server has read is sent a second time, without
# --retry and without a word.
#
# One would guess: a POST is sent once. If the connection breaks before the answer, curl fails (52, "empty
# reply"), since nobody can know whether it was carried out; repeating takes --retry.
#
# Instead: on a connection that was kept from an earlier request, curl takes the missing answer for an idle
# connection that the server had closed, opens a new one, sends the same POST with its body again, and
# exits 0 with the second answer. On a fresh connection it exits 52, as guessed.
#
# Seen on 2026-12-01, by the server (connection.request), which reads the second request of a connection
# whole and closes:
#
#     curl -d a=1 .../first -: -d token=T .../second       exit 0
#     1.1 POST /first    1.2 POST /second    2.1 POST /second
#
# Why it matters: the body of a token request holds a client assertion, an authorization code, a DPoP proof in
# its head: each good for one use. The server that worked and lost its answer sees an honest client replay
# it, and refuses. CURLOPT_FRESH_CONNECT, or a new assertion a try, which the silent try does not offer.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid curl=8.23.0-1 libcurl4t64=8.23.0-1 libnghttp3-9 libngtcp2-16 libngtcp2-crypto-ossl0 \
    libbrotli1 libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libcom-err2 libkeyutils1 \
    libidn2-0 libunistring5 libldap2 libsasl2-2 libnghttp2-14 libpsl5t64 libssh2-1t64 libssl3t64 \
    libzstd1 zlib1g libc6

free_port
start perl "$(dirname "$0")/breaking-backend.pl" "$port" "$lab/requests"
until_true listens "$port"

# post PATH...: one POST each, by one curl, which may keep its connection; prints its exit status.
post() {
    local path status=0 transfers=()
    for path in "$@"; do
        transfers+=(--next --silent --max-time 10 --data "token=T" "http://127.0.0.1:$port/$path")
    done
    "$lab/sid/run/curl" "${transfers[@]:1}" || status=$?
    echo "$status"
}

# The connection that was tried above has a number too.
requests() {
    cut -d. -f2- "$lab/requests" | paste -sd,
}

seen=$(post first second)
expect "exit status" 0 "$seen"
expect "what the server read" \
    "1 POST /first HTTP/1.1,2 POST /second HTTP/1.1,1 POST /second HTTP/1.1" "$(requests)"
verdict
