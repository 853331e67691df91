/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to the lines of a batch: they are read, the guard is asked of all of them at once,
 * and the verdicts are written down in their order. */
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

void judge_batch(const struct judge *judge, struct batch *batch);

#endif
