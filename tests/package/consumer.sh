# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the use-* scripts.

# must_run PROGRAM FORM TREE [STACK]: it ends well, and is linked in the way that it should be, with
# the library, or that of the adapter to a stack.
must_run() {
    local program=$1 form=$2 tree=$3 wanted needs
    wanted=$(objdump -p "$tree/lib/libjtiguard${4:+_$4}.so" | awk '$1 == "SONAME" { print $2 }')
    LD_LIBRARY_PATH=$tree/lib "$program"
    needs=$(objdump -p "$program" | awk '$1 == "NEEDED" && /libjtiguard/ { print $2 }')
    case $form in
    shared) grep -qxF "$wanted" <<<"$needs" ;;
    static) [ -z "$needs" ] ;;
    esac || { echo "FAILED: $program needs '$needs'" >&2; exit 1; }
}
