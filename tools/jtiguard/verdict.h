/* SPDX-License-Identifier: Apache-2.0 */
/* How verdicts and sums are written, for people and as JSON. Nothing of a token is written. */
#ifndef TOOL_VERDICT_H
#define TOOL_VERDICT_H

#include "bytes.h"
#include "tally.h"

/* One line about one line of the input. false when memory is out. */
bool verdict_write(struct bytes *out, bool json, uint64_t line_number, int reason);

/* The sums at the end. */
bool summary_write(struct bytes *out, bool json, const struct tally *tally);

/* "admitted", "replayed (…)" or "refused, NAME (…)": the verdict in words. */
bool verdict_words_write(struct bytes *out, int reason);

#endif
