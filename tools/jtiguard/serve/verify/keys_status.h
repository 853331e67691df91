/* SPDX-License-Identifier: Apache-2.0 */
/* How a document of keys is, as the verifier tells it to others. */
#ifndef SERVE_KEYS_STATUS_H
#define SERVE_KEYS_STATUS_H

#include <stddef.h>
#include <stdint.h>

/* For metrics and readiness. */
struct keys_status {
    char issuer[256];     /* of the first entry that uses it; cut when longer */
    size_t keys;          /* usable now; 0: tokens of it are refused as keys_unavailable */
    int64_t age_ms;       /* since they were read; -1: never */
    uint64_t fetches;     /* that brought keys */
    uint64_t fetch_fails; /* that did not */
    uint64_t waits;       /* tokens that waited for one */
};

#endif
