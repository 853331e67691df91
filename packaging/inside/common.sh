# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the scripts beside it, which packaging/build runs inside a clean root. Lines with "==" are the
# report.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

say() {
    echo "== $*"
}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# A root that is thrown away needs no data on the disk, and nobody reads the descriptions there.
prepare_root() {
    echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe-io
    echo 'Acquire::Languages "none";' >/etc/apt/apt.conf.d/90languages
    apt-get -q update
}

apt_install() {
    apt-get -q -y --no-install-recommends install "$@"
}
