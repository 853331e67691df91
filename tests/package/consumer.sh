# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the use-* scripts.

# must_run PROGRAM FORM TREE: it admits once, and is linked in the way that it should be.
must_run() {
    local program=$1 form=$2 tree=$3 needs
    LD_LIBRARY_PATH=$tree/lib "$program"
    needs=$(objdump -p "$program" | awk '$1 == "NEEDED" && /libjtiguard/ { print $2 }')
    case $form in
    shared) [ "$needs" = libjtiguard.so.0 ] ;;
    static) [ -z "$needs" ] ;;
    esac || { echo "FAILED: $program needs '$needs'" >&2; exit 1; }
}
