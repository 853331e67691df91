#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# two_million.sh JTIGUARD MAKE_CLAIMS [THREADS] [LINES]: guards two million claims, every tenth of
# them a replay, in one process, and compares the counts. Not run by ctest: it is a measurement
# too, and takes minutes under a sanitizer.
set -eu

jtiguard=$1
make_claims=$2
threads=${3:-2}
lines=${4:-2000000}

replayed=$((lines / 10))
admitted=$((lines - replayed))
expected="{\"summary\":{\"admitted\":$admitted,\"replayed\":$replayed,\"refused\":0,\"reasons\":{\"admitted\":$admitted,\"replayed\":$replayed}}}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$make_claims" "$lines" "$(($(date +%s) + 3600))" >"$work/claims.jsonl"

start=$(date +%s)
"$jtiguard" check --report --json --threads "$threads" "$work/claims.jsonl" >"$work/verdicts.jsonl"
end=$(date +%s)

summary=$(tail -n 1 "$work/verdicts.jsonl")
written=$(wc -l <"$work/verdicts.jsonl")
echo "$lines lines, $threads threads, $((end - start)) s: $summary"
if [ "$summary" != "$expected" ] || [ "$written" -ne "$((lines + 1))" ]; then
    echo "two_million.sh: the counts are wrong, expected $expected" >&2
    exit 1
fi
