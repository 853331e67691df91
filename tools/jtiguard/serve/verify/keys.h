/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of one issuer, kept fresh. A thread of its own fetches them, so that an issuer whose
 * server hangs delays nobody, and no verifier waits for a socket under a lock:
 *
 *   fresh     fetched less than max-age ago (bounded by us)
 *   stale     older, and the fetch failed or is under way: the old keys serve on, for so long
 *   lost      older than that: no keys at all, and tokens are refused
 *
 * A set without a usable key is believed, for the issuer may have withdrawn them, but it is never
 * fresh. What went wrong is tried again by itself, after twice as long each time. A token that the
 * keys do not fit (an unknown kid, a signature that none of them made: the kid may have been given
 * to a new key) asks for a fetch before its time, but never sooner than retry_s after the last
 * one, nor than the issuer's Retry-After: whoever invents kids cannot make us hammer the issuer.
 * Age is by the monotonic clock.
 *
 * No function here waits for a fetch. Who would rather wait than be refused is put into a bounded
 * list, and woken when the fetch has ended, or takes longer than wait_ms: an issuer that hangs
 * holds nobody for longer, and those who ask later not at all. Keys that a reload stops move those
 * who wait on to the keys in their place, for what is left of the same wait_ms. */
#ifndef SERVE_KEYS_H
#define SERVE_KEYS_H

#include "serve/verify/fetch.h"
#include "serve/verify/jwks.h"
#include "serve/verify/keys_status.h"
#include "serve/verify/verify_settings.h"
#include "serve/verify/waiters.h"

enum {
    KEYS_MIN_AGE_S = 60,           /* lower bound of Cache-Control's max-age */
    KEYS_BACK_OFF_MOST_S = 300,    /* between two attempts that nobody asks for */
    KEYS_RETRY_AFTER_MOST_S = 300, /* as far as an issuer is obeyed: its users wait so long */
};

struct keys;

/* Where from and how; all copied. */
struct keys_rules {
    enum keys_from from;
    enum jwks_owner owner;
    const char *issuer;
    const char *at; /* NULL: discovery where issuer says */
    const char *token_file;
    struct fetch_rules fetch;
    uint32_t max_age_s;
    uint32_t stale_s;
    uint32_t retry_s;
    uint32_t wait_ms;         /* real time; 0: nobody waits */
    const jtg_clock *clock;   /* NULL: the system's */
    const jtg_logger *logger; /* NULL: silence */
};

/* Keys from before a reload; each may be NULL. */
struct keys_before {
    struct keys *of_place;     /* of the same place: they serve on */
    const struct keys *of_row; /* that were counted in the same row of the metrics */
};

/* A file is read here, and its failure is ours; a document is fetched by the thread. */
jtg_status keys_new(struct keys **keys, const struct keys_rules *rules,
                    const struct keys_before *before, jtg_error *err);

/* How long to wait before an attempt that nobody asks for, after so many that brought no key. */
int64_t keys_back_off_ms(int64_t retry_ms, unsigned misses);

/* What the metrics count them under. */
const char *keys_issuer(const struct keys *keys);

/* Whether the rules name the same place; and would fetch from there in the same way. */
bool keys_are_of(const struct keys *keys, const struct keys_rules *rules);
bool keys_are_like(const struct keys *keys, const struct keys_rules *rules);

/* End the thread, aborting its fetch; by the thread that made or reloads the rules, and before
 * keys_free(). The keys that are there stay usable. */
void keys_stop(struct keys *keys);

/* NULL does nothing. */
void keys_free(struct keys *keys);

/* The keys of now, for the caller to jwks_release(); NULL: there are none. *seen is for the
 * functions below. */
struct jwks *keys_get(struct keys *keys, uint64_t *seen);

/* Keys that have come since; NULL: there are none, and a fetch begins where one may. */
struct jwks *keys_get_newer(struct keys *keys, uint64_t seen);

/* Wait for the fetch that such a one asked for: true, and the waiter was paused and will be woken,
 * or already is. false: it was not paused, and nothing is to be waited for. */
bool keys_await(struct keys *keys, uint64_t seen, struct verify_waiter *waiter);

/* Wake all who wait. From now on nobody waits. */
void keys_hurry(struct keys *keys);

void keys_status_read(struct keys *keys, struct keys_status *status);

#endif
