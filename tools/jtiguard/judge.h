/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a line: it is read, the guard is asked, the verdict is written down. */
#ifndef TOOL_JUDGE_H
#define TOOL_JUDGE_H

#include "batch.h"
#include "claims_json.h"

/* All borrowed; read by every worker. */
struct judge {
    jtg_guard *guard;
    struct claims_rules rules;
    bool json;
    bool quiet;  /* Verdicts are counted, not written. */
    bool strict; /* A batch ends at its first malformed line. */
};

int judge_line(const struct judge *judge, const char *text, size_t text_len);
void judge_batch(const struct judge *judge, struct batch *batch);

#endif
