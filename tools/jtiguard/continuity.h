/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told when the store has forgotten, or is new. */
#ifndef TOOL_CONTINUITY_H
#define TOOL_CONTINUITY_H

#include "guarding.h"
#include "settings.h"

/* From when on tokens are admitted on a store that has kept everything since then. */
struct continuity_ends {
    int64_t iat_ms; /* issued at or after it */
    int64_t exp_ms; /* without iat: expires at or after it */
};

struct continuity_ends continuity_ends_of(const jtg_guard_options *guard, int64_t kept_since_ms);

/* After a refusal for continuity: when that ends, and what an operator can do. On stderr. */
void continuity_advise(const char *command, const struct settings *settings,
                       const struct guarding *guarding);

#endif
