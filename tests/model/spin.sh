# SPDX-License-Identifier: Apache-2.0
# Cases of a model for Spin; read by the scripts beside it, which set `here` and `model`.
# A case is "holds" or "fails" and the switches; the script runs itself once for each, with --one.
# shellcheck shell=bash disable=SC2154

# Sets $found to holds, fails or neither: an assertion that fails, or a search that saw everything.
judge() {
    found=neither
    if grep -q 'invalid array index' pan.output; then
        return # the model itself is wrong
    elif grep -q 'assertion violated' pan.output; then
        found=fails
    elif grep -q 'errors: 0' pan.output && ! grep -qiE 'too small|not completed|out of memory' pan.output; then
        found=holds
    fi
}

# One counter-example is enough to fail, and these two, which only turn the order of the search, find one
# a hundred times sooner: soon enough that compiling well would take longer. What holds must see all.
make_checker() {
    local how=(-O1)
    [ "$1" = holds ] || how=(-O0 -DREVERSE -DT_REVERSE)
    shift
    spin -a "${@/#/-D}" "$here/$model.pml" &&
        gcc "${how[@]}" -w -DSAFETY -DNOFAIR -DMEMLIM=8000 -o pan pan.c
}

check() {
    local expected=$1 found states
    shift
    local work
    work=$(mktemp -d "${TMPDIR:-/tmp}/jtiguard-model.XXXXXX")
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$work'" EXIT
    cd "$work"
    if ! make_checker "$expected" "$@" >build.output 2>&1; then
        cat build.output
        return 1
    fi
    ./pan -E -m100000 >pan.output 2>&1 || true
    judge
    states=$(sed -nE 's/^ *([0-9.e+]+) states, stored.*/\1/p' pan.output)
    printf '%-7s %-65s %12s states\n' "$found" "$*" "$states"
    [ "$found" = "$expected" ] && return
    tail -n 40 pan.output
    echo "expected: $expected"
    return 1
}

# run_cases <LIST
run_cases() {
    if ! command -v spin >/dev/null; then
        echo "$(basename "$0"): spin is not installed"
        exit 77
    fi
    xargs -d '\n' -P "$(nproc)" -n 1 "$0" --one
}
