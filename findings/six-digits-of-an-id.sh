#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# HAProxy 3.2.26 (Debian sid), json_query and jwt_payload_query: of a number only six digits are read, so
# different ids look the same; with the type 'int' the number is exact, unless it was written with an exponent.
#
# One would guess: without a type the converter gives a JSON number as the text that stands there, and with 'int'
# its whole part.
#
# Instead: without a type the number goes through a printf of six significant digits. With 'int' the text is read
# up to the first letter that is no digit, so 1.7672256e9, which is how some encoders write a whole number that
# they hold as a float, is 1; and a number beyond 2^53 gives no value.
#
# Seen on 2026-12-01:
#
#     in the JSON          no type          'int'
#     17672256001          1.76723e+10      17672256001
#     17672256002          1.76723e+10      17672256002
#     1767225600           1.76723e+09      1767225600
#     1767225600.5         1.76723e+09      1767225600
#     1.7672256e9          1.76723e+09      1
#     9007199254740993     9.0072e+15       (nothing)
#
# Why it matters: stick tables, maps and rules that key on a numeric id (an account, a session) mix accounts that
# differ behind the sixth digit; a time of issue is up to 83 minutes off, or in 1970.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid haproxy=3.2.26-1 libcrypt1 libjemalloc2 liblua5.4-0 libopentracing-c-wrapper0t64 \
    libopentracing1 libpcre2-8-0 libssl3t64 libzstd1 zlib1g libstdc++6 libgcc-s1 libc6

free_port
cat >"$lab/conf" <<END
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend front
    bind 127.0.0.1:$port
    http-request set-var(txn.json) req.hdr(x-json)
    http-request set-var(txn.text) var(txn.json),json_query('\$.id')
    http-request set-var(txn.whole) var(txn.json),json_query('\$.id','int')
    http-request return status 200 content-type text/plain lf-string "read %[var(txn.text)] %[var(txn.whole)]\n"
END
start "$lab/sid/run/haproxy" -db -f "$lab/conf"
until_true listens "$port"

# observe NUMBER
observe() {
    local line
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET / HTTP/1.0\r\nX-Json: {"id":%s}\r\n\r\n' "$1" >&3
    while read -r -t 15 line <&3; do
        case $line in read*) break ;; esac
    done
    exec 3>&-
    echo "${line#read }"
}

expect 17672256001 "1.76723e+10 17672256001" "$(observe 17672256001)"
expect 17672256002 "1.76723e+10 17672256002" "$(observe 17672256002)"
expect 1767225600 "1.76723e+09 1767225600" "$(observe 1767225600)"
expect 1767225600.5 "1.76723e+09 1767225600" "$(observe 1767225600.5)"
expect 1.7672256e9 "1.76723e+09 1" "$(observe 1.7672256e9)"
expect 9007199254740993 "9.0072e+15" "$(observe 9007199254740993)"
verdict
