#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Apache 2.4.69 beside nginx 1.30.6 (Debian sid): a graceful restart empties Apache's shared caches.
#
# One would guess: "graceful" is about what is in memory as much as about connections. The parent process
# stays and so does the shared memory that it made; after `apachectl graceful` the children read their
# configuration anew and find in a cache of type shmcb what the ones before them have put there. nginx, whose
# reload is the same thing, keeps its zones.
#
# Instead: Apache's parent frees all that the configuration had made, the segment of each shmcb cache with it,
# and makes new ones: they are empty, while the old children still write into the old ones until they go.
#
# Seen on 2026-12-01, one TLS session, tickets off, a cache of 512,000 bytes shared by all processes:
#
#                                            Apache     nginx
#     presented again                        Reused     Reused
#     again, after the graceful restart      New        Reused
#
# Why it matters: Debian's logrotate restarts Apache so each night, and a renewed certificate does. At that
# moment every client of a busy server pays for a whole handshake; and whatever a module keeps in a socache
# for itself, say that a login or a token was seen, is forgotten with the promise that rests on it.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid apache2-bin=2.4.69-1 nginx=1.30.6-2 openssl libapr1t64 libaprutil1t64 libbrotli1 libc6 libcap2 \
    libcrypt1 libdb5.3t64 libexpat1 libgcc-s1 libgdbm6t64 libpcre2-8-0 libssl3t64 libsystemd0 libuuid1 libzstd1 \
    zlib1g
chmod 755 "$lab" # the children are of another user
tls=$lab/sid/run/openssl
"$tls" req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout "$lab/key" -out "$lab/certificate" \
    >>"$lab/output" 2>&1
mkdir "$lab/documents" "$lab/temp"
echo hello >"$lab/documents/index.html"

configure_apache() {
    local modules=$lab/sid/usr/lib/apache2/modules name
    for name in mpm_prefork authz_core socache_shmcb ssl; do
        echo "LoadModule ${name}_module $modules/mod_$name.so"
    done
    cat <<EOF
ServerName localhost
ServerRoot $lab
DefaultRuntimeDir $lab
PidFile $lab/apache.pid
ErrorLog $lab/apache.log
Listen 127.0.0.1:$port
User nobody
Group nogroup
DocumentRoot $lab/documents
SSLSessionCache shmcb:$lab/sessions(512000)
SSLSessionTickets off
SSLEngine on
SSLCertificateFile $lab/certificate
SSLCertificateKeyFile $lab/key
EOF
}

configure_nginx() {
    cat <<EOF
pid $lab/nginx.pid;
error_log $lab/nginx.log;
events {}
http {
    access_log off;
    client_body_temp_path $lab/temp/body;
    proxy_temp_path $lab/temp/proxy;
    fastcgi_temp_path $lab/temp/fastcgi;
    uwsgi_temp_path $lab/temp/uwsgi;
    scgi_temp_path $lab/temp/scgi;
    server {
        listen 127.0.0.1:$port ssl;
        root $lab/documents;
        ssl_certificate $lab/certificate;
        ssl_certificate_key $lab/key;
        ssl_session_cache shared:sessions:500k;
        ssl_session_tickets off;
    }
}
EOF
}

# handshake ARGUMENT...: New or Reused
handshake() {
    printf 'GET /index.html HTTP/1.0\r\n\r\n' |
        timeout 5 "$tls" s_client -connect "127.0.0.1:$port" -tls1_2 -ign_eof "$@" 2>>"$lab/output" |
        sed -nE 's/^(New|Reused), TLS.*/\1/p'
}

children() {
    ps -o pid= --ppid "$1" | sort | xargs
}

# The children are others, and none of the old ones is left.
exchanged() {
    local child
    [ -n "$(children "$started")" ] || return
    for child in $1; do
        ! kill -0 "$child" || return
    done
}

# show NAME SIGNAL AFTERWARDS
show() {
    local before
    until_true listens "$port"
    expect "$1, first" New "$(handshake -sess_out "$lab/$1.session")"
    expect "$1, presented again" Reused "$(handshake -sess_in "$lab/$1.session")"
    before=$(children "$started")
    kill "-$2" "$started"
    until_true exchanged "$before"
    expect "$1, after the graceful restart" "$3" "$(handshake -sess_in "$lab/$1.session")"
}

free_port
configure_apache >"$lab/apache.conf"
start "$lab/sid/run/apache2" -D FOREGROUND -f "$lab/apache.conf"
show apache USR1 New

free_port
configure_nginx >"$lab/nginx.conf"
start "$lab/sid/run/nginx" -e "$lab/nginx.log" -c "$lab/nginx.conf" -g "daemon off;"
show nginx HUP Reused
verdict
