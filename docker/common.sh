# SPDX-License-Identifier: Apache-2.0
# What the scripts of this folder share. Sourced, with $here set to this folder.
#
# Everything that a run leaves behind (certificates, ports, the log and the pid of a daemon that
# we started) lies in $state, inside the git-ignored build folder.
# shellcheck disable=SC2154 # by whom sources it
root=$(cd "$here/.." && pwd)
state=${JTIGUARD_DOCKER_STATE:-$root/build/docker}

say() {
    echo "docker: $*" >&2
}

die() {
    say "$*"
    exit 1
}

# The newer compose is a plug-in of docker, the older one (1.29, Debian 12) a program.
compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose -p "${COMPOSE_PROJECT_NAME:-jtiguard}" -f "$here/compose.yaml" "$@"
    else
        docker-compose -p "${COMPOSE_PROJECT_NAME:-jtiguard}" -f "$here/compose.yaml" "$@"
    fi
}

have_compose() {
    docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null
}

# An image's tag is the digest of what it is built from: a change builds anew, no change costs
# one question to the daemon.
tag_of() {
    cat "$1"/* | sha256sum | cut -c1-12
}

# build_image NAME FOLDER SUITE: sets $image, and builds it where it is missing. BuildKit is left
# out: the daemon of Debian 12 has none.
build_image() {
    image=jtiguard/$1:$3-$(tag_of "$2")
    docker image inspect "$image" >/dev/null 2>&1 && return
    "$here/base-image" "$3" || return
    say "building $image"
    set -- "$2" --build-arg "BASE=jtiguard/debian:$3"
    for proxy in http_proxy https_proxy no_proxy; do
        if eval "[ -n \"\${$proxy:-}\" ]"; then
            set -- "$@" --build-arg "$proxy"
        fi
    done
    if ! DOCKER_BUILDKIT=0 docker build -t "$image" "$@" >"$state/build.log" 2>&1; then
        tail -n 5 "$state/build.log" >&2
        die "$image cannot be built, see $state/build.log"
    fi
}
