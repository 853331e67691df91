/* SPDX-License-Identifier: Apache-2.0 */
/* How often each reason was given. */
#ifndef TOOL_TALLY_H
#define TOOL_TALLY_H

#include "reason.h"

struct tally {
    uint64_t count[REASON_INDEXES];
};

void tally_add(struct tally *tally, int reason);
void tally_merge(struct tally *into, const struct tally *from);
uint64_t tally_of_verdict(const struct tally *tally, jtg_verdict verdict);
uint64_t tally_total(const struct tally *tally);

/* One exit code for many tokens: trouble hides the others, invalid hides replayed. Nothing at
 * all is invalid too: an empty input must not pass for an admitted token. */
enum exit_code tally_exit_code(const struct tally *tally);

#endif
