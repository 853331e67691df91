/* SPDX-License-Identifier: Apache-2.0 */
/* One Sentinel and its answer. */
#ifndef JTGI_REDIS_SENTINEL_H
#define JTGI_REDIS_SENTINEL_H

#include "redis/say/address/address.h"

#include <jtiguard/status.h>

struct jtgi_dialer;

enum {
    JTGI_SENTINEL_ID_BYTES = 64, /* longer than any id that one has */
    JTGI_SENTINEL_PEERS_MAX = 64
};

/* The others that one knows. Those beyond the last place are left out, which can only refuse. */
struct jtgi_sentinel_peers {
    bool told; /* it says whom it knows, and who it is is what they call it */
    unsigned count;
    char ids[JTGI_SENTINEL_PEERS_MAX][JTGI_SENTINEL_ID_BYTES];
};

struct jtgi_sentinel_answer {
    char id[JTGI_SENTINEL_ID_BYTES]; /* who answers, by whatever address it was reached */
    uint64_t epoch;
    uint64_t others; /* Sentinels that it knows beside itself; 0 also where it does not say */
    struct jtgi_sentinel_peers peers;
    struct jtgi_address primary;
};

/* On a connection of its own, which ends with the answer. tls_name: what its certificate must
 * carry, where Sentinels speak TLS. *answer must be all zero.
 *
 * Returns: as jtgi_sentinels_ask() */
jtg_status jtgi_sentinel_ask(struct jtgi_dialer *dialer, const struct jtgi_address *sentinel,
                             const char *tls_name, int64_t deadline_ns,
                             struct jtgi_sentinel_answer *answer, jtg_error *err);

#endif
