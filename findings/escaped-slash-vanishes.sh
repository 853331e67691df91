#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# HAProxy 3.2.26 reads a token written by PHP 8.4 (both Debian sid): the signature is good, and the issuer
# is empty.
#
# One would guess: JSON allows "\/" for "/" (RFC 8259 section 7), so both spellings are one string, and
# jwt_payload_query('$.iss') gives https://id.example.com for both.
#
# Instead: HAProxy's reader of strings knows \" \\ \b \f \n \r \t and \u, but not \/, and gives no value at all
# for a string that has it. PHP's json_encode() writes a slash in no other way unless it is told to, and an
# issuer is a URL. The other claims of the same token are read, and jwt_verify looks at bytes, so it is content.
#
# Seen on 2026-12-01; a line is: what jwt_verify answers, iss, jti.
#
#     json_encode($claims)                            1 [] [5c3e8f10]
#     json_encode($claims, JSON_UNESCAPED_SLASHES)    1 [https://id.example.com] [5c3e8f10]
#     the same with \u002f for each slash             1 [https://id.example.com] [5c3e8f10]
#
# Why it matters: a rule that compares the issuer refuses good tokens of such an issuer; a rule that hands the
# claims on hands on a token without an issuer. Ask for the issuer to be there, and let the application
# verify the token itself if its issuer is written in PHP.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid haproxy=3.2.26-1 libcrypt1 libjemalloc2 liblua5.4-0 libopentracing-c-wrapper0t64 \
    libopentracing1 libpcre2-8-0 libssl3t64 libzstd1 zlib1g libstdc++6 libgcc-s1 libc6 \
    php8.4-cli=8.4.27-1 libargon2-1 libedit2 libsodium26 libxml2-16 liblzma5 libbsd0 libmd0 libtinfo6

cat >"$lab/token.php" <<'END'
<?php
function part(string $bytes): string {
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}
$claims = ['iss' => 'https://id.example.com', 'jti' => '5c3e8f10'];
$payload = json_encode($claims, $argv[1] === 'plain' ? JSON_UNESCAPED_SLASHES : 0);
if ($argv[1] === 'number')
    $payload = str_replace('\/', '\u002f', $payload);
$signed = part('{"alg":"HS256","typ":"JWT"}') . '.' . part($payload);
echo $signed . '.' . part(hash_hmac('sha256', $signed, 'a key for this script alone', true));
END

free_port
cat >"$lab/conf" <<END
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend front
    bind 127.0.0.1:$port
    http-request set-var(txn.token) req.hdr(x-token)
    http-request set-var(txn.good) var(txn.token),jwt_verify("HS256","a key for this script alone")
    http-request set-var(txn.iss) var(txn.token),jwt_payload_query('\$.iss')
    http-request set-var(txn.jti) var(txn.token),jwt_payload_query('\$.jti')
    http-request return status 200 content-type text/plain lf-string "%[var(txn.good)] [%[var(txn.iss)]] [%[var(txn.jti)]]\n"
END
start "$lab/sid/run/haproxy" -db -f "$lab/conf"
until_true listens "$port"

# observe SPELLING
observe() {
    local token line
    token=$("$lab/sid/run/php8.4" -n "$lab/token.php" "$1")
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET / HTTP/1.0\r\nX-Token: %s\r\n\r\n' "$token" >&3
    while read -r -t 15 line <&3; do
        case $line in *' ['*) break ;; esac
    done
    exec 3>&-
    echo "$line"
}

expect "PHP's own spelling" "1 [] [5c3e8f10]" "$(observe default)"
expect "slashes as they are" "1 [https://id.example.com] [5c3e8f10]" "$(observe plain)"
expect "slashes by number" "1 [https://id.example.com] [5c3e8f10]" "$(observe number)"
verdict
