/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies tokens: shape, signature, issuer, audience, times, binding. Everything that must hold
 * before the guard is asked, in the order cheap to dear. Knows no HTTP.
 *
 *     struct verified verified;
 *     enum refusal refusal = verify_bearer(verifier, token, token_len, now_ms, &verified);
 *     if (refusal == REFUSAL_NONE) {
 *         verified.claims.owner = owner;
 *         admitted = jtg_guard_admit(guard, &verified.claims, &decision, &err);
 *     }
 *     verified_clear(&verified);
 */
#ifndef SERVE_VERIFY_H
#define SERVE_VERIFY_H

#include "serve/verify/dpop_request.h"
#include "serve/verify/keys_status.h"
#include "serve/verify/refusal.h"
#include "serve/verify/verify_settings.h"
#include "serve/verify/waiters.h"

/* Opaque. Any number of threads may verify with one while it is reloaded. */
struct verifier;

/* A verifier. Reads key files and starts one thread for each document to fetch; does not wait
 * for them.
 *
 * JTG_OK, JTG_ERR_ARGUMENT (err->text says which setting; never a secret), JTG_ERR_MEMORY,
 * JTG_ERR_SYSTEM. *verifier is NULL unless JTG_OK. settings borrowed for the call. */
JTG_WARN_UNUSED jtg_status verifier_new(struct verifier **verifier,
                                        const struct verify_settings *settings, jtg_error *err);

/* Wake all who wait for keys; from now on nobody waits. Any thread. */
void verifier_hurry(struct verifier *verifier);

/* Take new settings, read key files again, fetch documents again. Keys already fetched from a
 * document that stays configured serve on meanwhile. On failure all is as before.
 * One thread at a time. */
JTG_WARN_UNUSED jtg_status verifier_reload(struct verifier *verifier,
                                           const struct verify_settings *settings, jtg_error *err);

/* Ends fetches under way and joins their threads. No verification may be under way. NULL does
 * nothing. */
void verifier_free(struct verifier *verifier);

/* Of subject, issuer and chosen claims together: what an answer has room for. */
enum { CLAIM_HEADERS_MAX_BYTES = 8192 };

/* A chosen claim, fit for a response header: no control characters, no blanks at its ends. A
 * string as it is (UTF-8); a number, a truth value; a list or object as compact ASCII JSON. */
struct verified_header {
    const char *name; /* borrowed from the verified's storage, as all texts of it */
    jtg_text value;
};

/* Keys that may come and change a refusal. */
struct verified_hope {
    struct rules *rules; /* NULL: none */
    struct keys *keys;
    uint64_t seen;
};

/* A token that holds. Overwritten by each verify_…; valid until verified_clear(), but for
 * claims.signing_input, which points into the caller's token. */
struct verified {
    jtg_claims claims; /* for the guard; owner is the caller's to set */
    jtg_text issuer;   /* to show: the trust domain, or iss; with DPoP, of the access token */
    jtg_text subject;  /* empty: the token has none. Fit for a header, as below. */
    const struct verified_header *headers;
    size_t header_count;
    size_t entry;        /* index in settings.issuers */
    uint64_t generation; /* of those settings */
    struct verified_storage *storage;
    struct verified_hope hope; /* the verifier's own */
};

/* A token shown as `Authorization: Bearer`. One that is bound to a key is refused: without its
 * proof it is nobody's (RFC 9449 section 7.2).
 *
 * REFUSAL_NONE: verified->claims is ready for the guard. Otherwise its texts are empty. Either
 * way the caller ends with verified_clear(), and may call verified_await() before.
 * Any thread. Never waits on the network. */
JTG_WARN_UNUSED enum refusal verify_bearer(struct verifier *verifier, const char *token,
                                           size_t token_len, int64_t now_ms,
                                           struct verified *verified);

/* A token bound to a key, and the proof of that key for this request (RFC 9449 section 4.3).
 * claims are those of the proof: its jti is what is guarded. The rest as verify_bearer(). */
JTG_WARN_UNUSED enum refusal verify_dpop(struct verifier *verifier,
                                         const struct dpop_request *request, int64_t now_ms,
                                         struct verified *verified);

void verified_clear(struct verified *verified);

/* After a refusal: true when keys that are on their way could change it. Then the waiter was
 * paused, and is woken when they have come, or did not, or have taken keys_wait_ms, or by a reload;
 * it lives until then, and its token is to be verified once more. false: the refusal stands, and
 * the waiter was not paused. Never waits itself. */
bool verified_await(struct verified *verified, struct verify_waiter *waiter);

/* The nonce to send in DPoP-Nonce now; changes every half lifetime. Empty where nonces are not
 * asked for. */
enum { DPOP_NONCE_TEXT_BYTES = 64 /* with the NUL */ };
void verifier_dpop_nonce(struct verifier *verifier, int64_t now_ms,
                         char text[DPOP_NONCE_TEXT_BYTES]);

/* Whether nonces are asked for. */
bool verifier_uses_dpop_nonce(struct verifier *verifier);

/* The algorithms that a proof may use, blank between, for `algs=` in the DPoP challenge. */
const char *verify_proof_algs(void);

/* The state of document `index`; false when there are not so many. Any thread, never waits. */
bool verifier_keys_status(struct verifier *verifier, size_t index, struct keys_status *status);

#endif
