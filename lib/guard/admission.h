/* SPDX-License-Identifier: Apache-2.0 */
/* One token on its way through the guard: what is decided before the store is asked, and what its
 * answer comes to. Who asks the store, and how they wait, is their own business (guard.c, async.c).
 */
#ifndef JTGI_GUARD_ADMISSION_H
#define JTGI_GUARD_ADMISSION_H

#include "core/object.h"
#include "guard/claims.h"
#include "guard/horizon.h"
#include "guard/key.h"
#include "guard/options.h"
#include "guard/retention.h"

#include <jtiguard/guard.h>

struct jtg_guard {
    struct jtgi_object base;
    jtg_cache *cache; /* borrowed */
    struct jtgi_limits limits;
    struct jtgi_key_style key_style;
    struct jtgi_horizon horizon;
};

/* What must be known of a token when the store has answered. */
struct jtgi_admission {
    jtg_decision made;
    jtg_text group; /* of the caller's claims */
    struct jtgi_life life;
    struct jtgi_reading asked;
    int64_t kept_since_ms;
    const jtg_reserve_call *reserve; /* of many: how the store is asked; NULL: it is not */
};

extern const jtg_decision jtgi_undecided;

/* Is the guard of this process? Returns: JTG_OK · JTG_ERR_FORKED */
jtg_status jtgi_guard_check_process(const jtg_guard *guard, jtg_error *err);

/* The key of claims that make one. Returns: ADMITTED, or why they do not */
jtg_reason jtgi_guard_make_key(const jtg_guard *guard, const jtg_claims *claims,
                               const struct jtgi_kind_rule **rule, unsigned char *key,
                               size_t *key_len, jtg_error *err);

/* The caller's decision is one to be filled; until then it says that the guard was not asked. */
bool jtgi_admission_begin(jtg_decision *decision, jtg_error *err);

/* Can anything be decided at all? decision_ok: what the above said. */
jtg_reason jtgi_admission_check(const jtg_guard *guard, const jtg_claims *given, bool decision_ok,
                                jtg_error *err);

/* All that can be said before the store is asked: ADMITTED if it has to be. made: an owner for who
 * brings none, or NULL. */
jtg_reason jtgi_admission_prepare(jtg_guard *guard, const jtg_claims *given, const jtg_owner *made,
                                  struct jtgi_admission *admission, jtg_error *err);

/* What the store is asked for. */
jtg_key jtgi_admission_key(const struct jtgi_admission *admission);

/* The store has answered. */
jtg_reason jtgi_admission_conclude(jtg_guard *guard, const struct jtgi_admission *admission,
                                   jtg_status status, jtg_error *err);

/* Tell and count it. decision: NULL where there is none to be filled. */
bool jtgi_admission_decide(jtg_guard *guard, struct jtgi_admission *admission, jtg_reason reason,
                           jtg_decision *decision);

/* ---- what a loss means for tokens ---- */

enum { JTGI_MOMENT_TEXT_BYTES = 32 };
bool jtgi_moment_text(int64_t wall_ms, char text[JTGI_MOMENT_TEXT_BYTES]);

/* How much later than since when the store has kept everything a token must be issued. */
int64_t jtgi_guard_reach(jtg_guard *guard, const struct jtgi_reading *now);

/* Behind what the store says of a loss: when it ends by itself, at the latest, for the store has
 * kept everything since now; and what ends it at once. */
void jtgi_guard_advise(jtg_guard *guard, jtg_error *err);

#endif
