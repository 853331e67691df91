#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# memcached 1.6.45 and systemd-tmpfiles 262.1 (Debian sid): a file on tmpfs that is written all the time
# through a mapping is removed because nobody seems to use it.
#
# One would guess: what is written through a mapping shows in the file's times sooner or later, as on disk:
# msync, or the kernel when it writes pages back, and the next write to a page sets them. systemd-tmpfiles,
# which removes what was neither read nor changed for so long, then leaves such a file alone.
#
# Instead: on tmpfs no write through a mapping ever changes a time, msync or not, because pages of tmpfs are
# never clean and a write to one that is mapped is no event. The file stays as old as its last write(2) or
# truncation. memcached -e keeps its items in such a mapping, and the file is gone under the running server.
#
# Seen on 2026-12-01 (Linux 6.18), a server on each file system, several items stored each second and the
# file synchronised after each, then one cleaning with an age of three seconds:
#
#                  last change of the file      the cleaning
#     tmpfs        when the server began        removed it
#     disk         a moment ago                 left it
#
# Why it matters: tmpfs is where memory that outlives a process is kept, and where /tmp is in new systems,
# with an age of ten days by default. memcached finds nothing at its next start, and with any store whose
# processes attach one after the other, those that come later make a new file while the earlier ones go on
# with the old one. One has to hold a flock on the file, which systemd-tmpfiles heeds (one on its folder it
# does not, if the rule names that folder), exclude the path (type x), or touch the file.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

on_tmpfs=$(mktemp -d -p /dev/shm)
on_disk=$(mktemp -d -p /var/tmp)
trap 'rm -rf "$on_tmpfs" "$on_disk"; clean_up' EXIT
[ "$(stat -f -c %T "$on_tmpfs")" = tmpfs ] || cannot "/dev/shm is no tmpfs"
[ "$(stat -f -c %T "$on_disk")" != tmpfs ] || cannot "/var/tmp is not on a disk"

debian sid memcached=1.6.45-1 libevent-2.1-7t64 liblua5.4-0 libsasl2-2 libzstd1 zlib1g \
    systemd=262.1-1 libsystemd-shared=262.1-1 libacl1 libaudit1 libblkid1 libc6 libcap-ng0 libcap2 libcrypt1 \
    libgcc-s1 libmount1 libpcre2-8-0 libseccomp2 libselinux1 libssl3t64
# Where its own run path would find it.
shared=$(find "$lab/sid" -name 'libsystemd-shared-*.so' -print -quit)
ln -s "systemd/${shared##*/}" "${shared%/*/*}"

# serve FOLDER: a server whose items are in FOLDER/items, on $port
serve() {
    free_port
    start "$lab/sid/run/memcached" -u root -l 127.0.0.1 -p "$port" -U 0 -m 40 -e "$1/items"
    until_true listens "$port"
}

# store PORT VALUE
store() {
    local reply
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'set key 0 0 %d\r\n%s\r\n' ${#2} "$2" >&3
    read -r -t 5 reply <&3
    exec 3>&-
    [ "$reply" = STORED$'\r' ] || cannot "memcached stored nothing: $reply"
}

# Since its last change.
age_of() {
    [ $(($(date +%s) - $(stat -c %Y "$1/items"))) -ge 3 ] && echo old || echo new
}

serve "$on_tmpfs"
first=$port
serve "$on_disk"
second=$port
end=$((SECONDS + 6))
while [ $SECONDS -lt $end ]; do
    store "$first" "$SECONDS"
    store "$second" "$SECONDS"
    sync "$on_tmpfs/items" "$on_disk/items"
    sleep 0.1
done
expect "last change on tmpfs" old "$(age_of "$on_tmpfs")"
expect "last change on disk" new "$(age_of "$on_disk")"
printf 'd %s - - - 3s\n' "$on_tmpfs" "$on_disk" >"$lab/clean.conf"
"$lab/sid/run/systemd-tmpfiles" --clean "$lab/clean.conf"
expect "files on tmpfs" "" "$(ls "$on_tmpfs")"
expect "files on disk" items "$(ls "$on_disk")"
verdict
