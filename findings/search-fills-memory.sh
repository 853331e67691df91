#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# ripgrep 15.2.0 (Debian sid) on tmpfs: searching a file takes as much memory as the file is long, and keeps it.
#
# One would guess: who only reads a file makes it no larger. The holes of a sparse file read as zeros and take
# nothing, on tmpfs as on disk.
#
# Instead: that holds for read(2) alone. A hole of a tmpfs file that is looked at through a shared mapping
# gets a page of its own, which stays until the file goes. ripgrep maps a file that is named on its command
# line, and maps it shared, if only to read; after the search all of its length is allocated. On disk a
# mapped hole is in the page cache, which can be taken back; on tmpfs the page cache is the file.
#
# Seen on 2026-12-01 (Linux 6.18), a hole of 16 MiB in /dev/shm, allocated after
#
#     grep           0 KiB
#     rg --no-mmap   0 KiB
#     rg          16384 KiB
#
# and the same hole on disk: 0 KiB after each of them.
#
# Why it matters: a store that lives in a mapped file reserves its largest size and relies on paying only for
# what it uses. One look at it with the wrong tool, be it a search, a checksum or a copy that maps, pays for
# all of it, from the memory limit of whoever looked. On a full tmpfs a reader of a hole gets SIGBUS.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

on_tmpfs=$(mktemp -p /dev/shm)
on_disk=$(mktemp -p /var/tmp)
trap 'rm -f "$on_tmpfs" "$on_disk"; clean_up' EXIT
[ "$(stat -f -c %T "$on_tmpfs")" = tmpfs ] || cannot "/dev/shm is no tmpfs"
[ "$(stat -f -c %T "$on_disk")" != tmpfs ] || cannot "/var/tmp is not on a disk"

debian sid ripgrep=15.2.0-1 libc6 libgcc-s1 libpcre2-8-0

# allocated_after FILE COMMAND...: in KiB, once the command has found nothing in it
allocated_after() {
    local file=$1
    shift
    "$@" never "$file" >>"$lab/output" 2>&1 && cannot "$1 found something in a hole"
    du -k "$file" | cut -f 1
}

for file in "$on_tmpfs" "$on_disk"; do
    truncate -s 16M "$file"
    case $file in
    /dev/shm/*) where=tmpfs grown=16384 ;;
    *) where=disk grown=0 ;;
    esac
    expect "on $where, after grep" 0 "$(allocated_after "$file" grep -c)"
    expect "on $where, after rg --no-mmap" 0 "$(allocated_after "$file" "$lab/sid/run/rg" --no-mmap)"
    expect "on $where, after rg" $grown "$(allocated_after "$file" "$lab/sid/run/rg")"
done
verdict
