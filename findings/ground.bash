# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the scripts of this folder stand on; each sources it. It gives them a folder of their own
# ($lab), packages unpacked into it and never installed, processes that end with the script, and the
# comparison of what is stated with what is seen.
set -euo pipefail
umask 022
export LC_ALL=C

lab=$(mktemp -d)
: >"$lab/groups"
differences=0

# Each program leads a process group, so that its children end with it, and a frozen one too.
clean_up() {
    local group
    exec 2>/dev/null # bash would report each program that was killed
    while read -r group; do
        kill -KILL -- "-$group" || true
    done <"$lab/groups"
    wait || true
    rm -rf --one-file-system "$lab"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

cannot() {
    echo "${0##*/}: cannot be tried: $*" >&2
    exit 2
}

# The repository of this machine's own release, as apt knows it. The keys of all suites are in the
# package that brings Debian's keys.
repository() {
    local codename
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # shellcheck disable=SC2016 # the names are for apt
    apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk -v release="$codename" '$1 == release && $2 == "main" && !n++ { print $3 }'
}

apt_of() {
    local suite=$1
    shift
    apt-get -q -o Dir::State="$lab/apt-$suite" -o Dir::State::status="$lab/apt-$suite/status" \
        -o Dir::Cache="$lab/apt-$suite/cache" -o Dir::Etc::SourceList="$lab/apt-$suite/sources" \
        -o Dir::Etc::SourceParts=- -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# debian SUITE PACKAGE[=VERSION]...: unpacked below $lab/SUITE; $lab/SUITE/run/NAME runs a program of
# it with the libraries of that suite, which this machine's C library may be too old for.
debian() {
    local suite=$1 keys=/usr/share/keyrings/debian-archive-keyring.gpg uri
    shift
    uri=$(repository)
    [ -n "$uri" ] || cannot "apt names no repository of this release"
    mkdir -p "$lab/apt-$suite/lists/partial" "$lab/apt-$suite/cache/archives/partial" "$lab/$suite/deb"
    : >"$lab/apt-$suite/status"
    echo "deb [signed-by=$keys] $uri $suite main" >"$lab/apt-$suite/sources"
    (cd "$lab/$suite/deb" && apt_of "$suite" update && apt_of "$suite" download "$@") \
        >"$lab/apt-$suite/log" 2>&1 || {
        tail -n 5 "$lab/apt-$suite/log" >&2
        cannot "no $* in $suite"
    }
    local package
    for package in "$lab/$suite/deb"/*.deb; do
        dpkg -x "$package" "$lab/$suite"
    done
    runners "$lab/$suite"
}

# What sid's packages of Redis and Valkey need besides themselves.
# shellcheck disable=SC2034 # the scripts use it
store_libraries=(libc6 libjemalloc2 liblzf1 libssl3t64 libsystemd0 libatomic1 libgcc-s1 libstdc++6 libzstd1
    zlib1g libcap2)

runners() {
    local root=$1 loader libraries program name how
    libraries=$root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null ||
        echo "$(uname -m)-linux-gnu")
    libraries+=:${libraries/usr\/lib/lib}
    loader=$(find "$root" -name 'ld-linux*.so.*' -print -quit)
    how="env LD_LIBRARY_PATH='$libraries'"
    [ -z "$loader" ] || how="'$loader' --library-path '$libraries'"
    mkdir -p "$root/run"
    for program in "$root"/usr/bin/* "$root"/usr/sbin/*; do
        [ -x "$program" ] || continue
        name=${program##*/}
        printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$how" "$program" >"$root/run/$name"
        chmod +x "$root/run/$name"
    done
}

# npm_packages NAME@VERSION...: below $lab/node_modules; a script in $lab may import them.
npm_packages() {
    npm install --prefix "$lab" --no-audit --no-fund --ignore-scripts --loglevel=error "$@" \
        >"$lab/npm.log" 2>&1 || {
        tail -n 5 "$lab/npm.log" >&2
        cannot "no $*"
    }
}

# start COMMAND...: in the background; its process id is in $started. A file remembers it, since a
# command substitution may call this too.
start() {
    setsid "$@" </dev/null >>"$lab/output" 2>&1 &
    started=$!
    echo "$started" >>"$lab/groups"
}

# Ports that nobody listens at, below the range from which the kernel hands out its own.
next_port=$((20000 + $$ % 10000))
free_port() {
    while :; do
        next_port=$((next_port + 1))
        (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null || break
    done
    port=$next_port
}

# until_true COMMAND...: at most 15 seconds.
until_true() {
    local end=$((SECONDS + 15))
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge $end ]; then
            tail -n 10 "$lab/output" >&2
            cannot "waited in vain for: $*"
        fi
        sleep 0.05
    done
}

listens() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# expect WHAT STATED SEEN
expect() {
    if [ "$2" = "$3" ]; then
        printf 'as stated  %s: %s\n' "$1" "$3"
    else
        printf 'DIFFERENT  %s: stated %s, seen %s\n' "$1" "$2" "$3"
        differences=$((differences + 1))
    fi
}

verdict() {
    [ "$differences" = 0 ] || exit 1
}
