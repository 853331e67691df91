/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

void tally_add(struct tally *tally, int reason)
{
    tally->count[reason_index(reason)]++;
}

void tally_merge(struct tally *into, const struct tally *from)
{
    for (size_t i = 0; i < REASON_INDEXES; i++)
        into->count[i] += from->count[i];
}

uint64_t tally_of_verdict(const struct tally *tally, jtg_verdict verdict)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < REASON_INDEXES; i++)
        if (reason_verdict(reason_at(i)) == verdict)
            sum += tally->count[i];
    return sum;
}

uint64_t tally_total(const struct tally *tally)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < REASON_INDEXES; i++)
        sum += tally->count[i];
    return sum;
}

static bool has_exit_code(const struct tally *tally, enum exit_code code)
{
    for (size_t i = 0; i < REASON_INDEXES; i++)
        if (tally->count[i] > 0 && reason_exit_code(reason_at(i)) == code)
            return true;
    return false;
}

enum exit_code tally_exit_code(const struct tally *tally)
{
    if (has_exit_code(tally, EXIT_TROUBLE))
        return EXIT_TROUBLE;
    if (has_exit_code(tally, EXIT_INVALID) || tally_total(tally) == 0)
        return EXIT_INVALID;
    return has_exit_code(tally, EXIT_REPLAYED) ? EXIT_REPLAYED : EXIT_ADMITTED;
}
