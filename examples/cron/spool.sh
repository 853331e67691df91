#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# spool.sh FOLDER COMMAND...
# Carries out each order of a folder once, however many runs overlap and however often an order comes
# again under another name. An order is a file of claims, which a verifier wrote there:
#
#     */5 * * * *  spool.sh /var/spool/orders /usr/local/bin/carry-out
#
# Only 0 admits. An order whose answer cannot be known stays, and the next run asks again; one that
# was used up by a run that died is not carried out.
set -u
folder=$1
shift
for order in "$folder"/*.json; do
    [ -e "$order" ] || continue # another run has removed it
    jtiguard reserve --kind custom --custom-kind order - <"$order" >/dev/null
    case $? in
    0) "$@" "$order" && rm -f "$order" ;;
    1 | 4) ;; # used before, or refused for what it is
    *) exit 3 ;;
    esac
done
