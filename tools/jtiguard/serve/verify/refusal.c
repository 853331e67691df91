/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/refusal.h"

#include <stddef.h>

struct row {
    enum refusal_class class;
    const char *name;
    const char *text;
};

#define ROW(symbol, class, name, text) {REFUSAL_CLASS_##class, (name), (text)},
static const struct row rows[] = {REFUSAL_MAP(ROW)};

static const struct row stranger = {REFUSAL_CLASS_TROUBLE, "internal",
                                    "an answer that is not in the list"};

static const struct row *row_of(enum refusal refusal)
{
    return (unsigned)refusal < REFUSAL_COUNT ? &rows[refusal] : &stranger;
}

const char *refusal_name(enum refusal refusal)
{
    return row_of(refusal)->name;
}

const char *refusal_text(enum refusal refusal)
{
    return row_of(refusal)->text;
}

enum refusal_class refusal_class(enum refusal refusal)
{
    return row_of(refusal)->class;
}

const char *refusal_error_code(enum refusal refusal)
{
    switch (refusal_class(refusal)) {
    case REFUSAL_CLASS_REQUEST:
        return "invalid_request";
    case REFUSAL_CLASS_TOKEN:
        return "invalid_token";
    case REFUSAL_CLASS_PROOF:
        return "invalid_dpop_proof";
    case REFUSAL_CLASS_NONCE:
        return "use_dpop_nonce";
    case REFUSAL_CLASS_SCOPE:
        return "insufficient_scope";
    case REFUSAL_CLASS_NONE:
    case REFUSAL_CLASS_NO_TOKEN:
    case REFUSAL_CLASS_TROUBLE:
        break;
    }
    return NULL;
}
