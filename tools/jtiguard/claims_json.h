/* SPDX-License-Identifier: Apache-2.0 */
/* From one JSON object to what the guard takes. A function of its arguments alone. */
#ifndef TOOL_CLAIMS_JSON_H
#define TOOL_CLAIMS_JSON_H

#include "bytes.h"
#include "reason.h"

#include <jansson.h>

/* What the caller knows that the object does not say. All borrowed. */
struct claims_rules {
    jtg_kind kind;        /* JTG_KIND_NONE: inferred from the claims. */
    jtg_text custom_kind; /* Name of the kind where kind is JTG_KIND_CUSTOM. */
    jtg_text audience;    /* Where set, aud must hold it, and it is the scope. */
};

/* Claims, with the memory that their texts point into. */
struct claims_json {
    jtg_claims claims;
    json_t *root;
    struct bytes joined_audience;
};

/* Read one object.
 *
 * Returns JTG_REASON_UNDECIDED when the claims are ready for the guard, else why not. Either
 * way the caller ends with claims_json_clear(). */
int claims_json_read(struct claims_json *read, const char *text, size_t text_len,
                     const struct claims_rules *rules);

void claims_json_clear(struct claims_json *read);

#endif
