/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/outcome.h"

struct row {
    bool trouble;
    const char *name;
    const char *text;
};

enum { CLASS_INVALID = false, CLASS_TROUBLE = true };

#define ROW(symbol, class, name, text) {CLASS_##class, (name), (text)},
static const struct row rows[] = {SERVICE_REASON_MAP(ROW)};

static const struct row *row_of(enum outcome outcome)
{
    return outcome >= OUTCOME_SERVICE_FIRST && outcome < OUTCOME_SERVICE_END
               ? &rows[outcome - OUTCOME_SERVICE_FIRST]
               : NULL;
}

static bool is_refusal(enum outcome outcome)
{
    return outcome >= OUTCOME_REFUSAL_FIRST && outcome < OUTCOME_REFUSAL_FIRST + (int)REFUSAL_COUNT;
}

static enum refusal refusal_of(enum outcome outcome)
{
    return (enum refusal)(outcome - OUTCOME_REFUSAL_FIRST);
}

enum outcome outcome_of_refusal(enum refusal refusal)
{
    if (refusal == REFUSAL_NONE || (unsigned)refusal >= REFUSAL_COUNT)
        return OUTCOME_INTERNAL;
    return OUTCOME_REFUSAL_FIRST + (int)refusal;
}

const char *outcome_name(enum outcome outcome)
{
    if (is_refusal(outcome))
        return refusal_name(refusal_of(outcome));
    return row_of(outcome) != NULL ? row_of(outcome)->name : reason_name(outcome);
}

const char *outcome_text(enum outcome outcome)
{
    if (is_refusal(outcome))
        return refusal_text(refusal_of(outcome));
    return row_of(outcome) != NULL ? row_of(outcome)->text : reason_text(outcome);
}

jtg_verdict outcome_verdict(enum outcome outcome)
{
    if (is_refusal(outcome) || row_of(outcome) != NULL)
        return JTG_VERDICT_REFUSED;
    return reason_verdict(outcome);
}

bool outcome_is_trouble(enum outcome outcome)
{
    if (is_refusal(outcome))
        return refusal_class(refusal_of(outcome)) == REFUSAL_CLASS_TROUBLE;
    if (row_of(outcome) != NULL)
        return row_of(outcome)->trouble;
    return reason_exit_code(outcome) == EXIT_TROUBLE;
}

bool outcome_is_clients(enum outcome outcome)
{
    return outcome_verdict(outcome) == JTG_VERDICT_REPLAYED ||
           (outcome_verdict(outcome) == JTG_VERDICT_REFUSED && !outcome_is_trouble(outcome));
}

bool outcome_is_question(enum outcome outcome)
{
    return outcome == outcome_of_refusal(REFUSAL_MISSING_TOKEN) ||
           outcome == outcome_of_refusal(REFUSAL_PROOF_WRONG_NONCE);
}

static unsigned status_of_class(enum refusal_class class)
{
    return class == REFUSAL_CLASS_SCOPE || class == REFUSAL_CLASS_TROUBLE ? 403 : 401;
}

unsigned outcome_check_status(enum outcome outcome)
{
    if (is_refusal(outcome))
        return status_of_class(refusal_class(refusal_of(outcome)));
    if (outcome_verdict(outcome) == JTG_VERDICT_ADMITTED)
        return 200;
    if (outcome_verdict(outcome) == JTG_VERDICT_REPLAYED || outcome_is_trouble(outcome))
        return 403;
    return 401;
}

const char *outcome_error_code(enum outcome outcome)
{
    if (is_refusal(outcome))
        return refusal_error_code(refusal_of(outcome));
    return outcome_check_status(outcome) == 401 ? "invalid_token" : NULL;
}

unsigned outcome_api_status(enum outcome outcome)
{
    if (outcome_verdict(outcome) == JTG_VERDICT_ADMITTED)
        return 200;
    if (outcome_verdict(outcome) == JTG_VERDICT_REPLAYED)
        return 409;
    return outcome_is_trouble(outcome) ? 503 : 422;
}

size_t outcome_index(enum outcome outcome)
{
    if (is_refusal(outcome))
        return (size_t)REASON_INDEXES + (size_t)(outcome - OUTCOME_REFUSAL_FIRST);
    if (row_of(outcome) != NULL)
        return (size_t)REASON_INDEXES + (size_t)REFUSAL_COUNT +
               (size_t)(outcome - OUTCOME_SERVICE_FIRST);
    return reason_index(outcome);
}

enum outcome outcome_at(size_t index)
{
    if (index < (size_t)REASON_INDEXES)
        return reason_at(index);
    index -= (size_t)REASON_INDEXES;
    if (index < (size_t)REFUSAL_COUNT)
        return OUTCOME_REFUSAL_FIRST + (int)index;
    return OUTCOME_SERVICE_FIRST + (int)(index - (size_t)REFUSAL_COUNT);
}
