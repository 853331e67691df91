/* SPDX-License-Identifier: Apache-2.0 */
/* Where the keys of an issuer come from, and one go at having them. Knows nothing of their age,
 * and no lock. */
#ifndef SERVE_KEY_SOURCE_H
#define SERVE_KEY_SOURCE_H

#include "serve/verify/fetch.h"
#include "serve/verify/jwks.h"
#include "serve/verify/verify_settings.h"

/* Borrowed texts. */
struct key_source {
    enum keys_from from;
    const char *issuer;
    const char *at;         /* NULL: discovery where the issuer's name says */
    const char *token_file; /* whose content is the credential of a fetch; NULL: none is needed */
    enum jwks_owner owner;
};

enum { KEY_ANSWER_WHY_BYTES = 640 };

/* What a go has brought. */
struct key_answer {
    struct jwks *set; /* the caller's to release; NULL: none */
    struct jwks_tally tally;
    int64_t max_age_s;     /* of Cache-Control; -1: it does not say */
    int64_t retry_after_s; /* 0: it does not say */
    /* There is none: which document it is about, where it lies, and what was wrong. */
    char why[KEY_ANSWER_WHY_BYTES];
};

/* Not for a file. Takes two fetches at most, each within the fetcher's time. */
struct key_answer key_source_fetch(const struct key_source *source, struct fetcher *fetcher);

/* JTG_OK: set holds a key, or more. */
jtg_status key_source_read(const struct key_source *source, uint32_t max_bytes,
                           struct key_answer *answer, jtg_error *err);

#endif
