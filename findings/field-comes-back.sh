#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Redis 8.0.6 (Debian sid, beside Valkey 9.1.2): HPEXPIRE brings a hash field back that has expired, and
# HDEL takes it as if it were still there.
#
# One would guess: once a field's time is over (HPTTL says -2, HGETALL leaves it out), it is gone for every
# command, as an expired key is: PEXPIRE and DEL answer 0 for one, also before it is swept.
#
# Instead: Redis' HPEXPIRE and HDEL look at the stored field and not at its time. Until the sweeper gets
# there (its rounds are a tenth of a second apart) or an HGET of just this field removes it, HPEXPIRE
# answers 1 and HGET has the old value again; HDEL answers 1. HPERSIST, HGETEX and HGETDEL do look.
# Valkey's HPEXPIRE says -2 and its HDEL 0.
#
# Seen on 2026-12-01, 20 fields of 3 ms, asked 15 ms later (the other 2 had been swept by then):
#
#               HPTTL   HPEXPIRE 60000   HGET       |   HDEL
#     Redis     -2      1                old value  |   1        18 times of 20
#     Valkey    -2      -2               nil        |   0        20 times of 20
#
# Why it matters: challenges kept as fields of one hash a client, with a time each, are the obvious use of
# the new commands. "HDEL answered 1, so it was there and is now used" accepts one whose time is over, and
# prolonging what is still there revives what is not. HGETDEL is right on both, or a time inside the value.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

rounds=20
debian sid redis-server=5:8.0.6-3 redis-tools=5:8.0.6-3 valkey-server=9.1.2-1 valkey-tools=9.1.2-1 \
    "${store_libraries[@]}"
cli=$lab/sid/run/redis-cli

# The replies of a round stand on one line.
observe() {
    local server=$1 field
    free_port
    start "$lab/sid/run/$server" --port "$port" --bind 127.0.0.1 --save '' --dir "$lab"
    until_true "$cli" -p "$port" PING
    for ((field = 0; field < rounds; field++)); do
        printf 'HSET once %s old taken%s old\nHPEXPIRE once 3 FIELDS 2 %s taken%s\n' \
            "$field" "$field" "$field" "$field"
        sleep 0.015
        printf 'HPTTL once FIELDS 1 %s\nHPEXPIRE once 60000 FIELDS 1 %s\nHGET once %s\nHDEL once taken%s\n' \
            "$field" "$field" "$field" "$field"
    done | timeout 30 "$cli" --no-raw -p "$port" | sed 's/[0-9]) //; s/(integer) //; s/^ *//' |
        paste -d' ' - - - - - - -
}

# Of the rounds in which the time was over when HPTTL asked, how many went on like this: none, some, all.
# A busy machine may be late with a question, or the sweeper early.
share() {
    local over same
    over=$(grep -c '^2 1 1 -2 ' "$1" || true)
    same=$(grep -cxF -- "2 1 1 -2 $2" "$1" || true)
    if [ "$same" = 0 ]; then
        echo none
    elif [ "$same" = "$over" ]; then
        echo all
    else
        echo some
    fi
}

observe redis-server >"$lab/redis"
observe valkey-server >"$lab/valkey"
[ "$(share "$lab/redis" '1 "old" 1')" = none ] && revived=no || revived=yes
expect "Redis revives and takes what has expired" yes "$revived"
expect "Valkey leaves it gone" all "$(share "$lab/valkey" '-2 (nil) 0')"
verdict
