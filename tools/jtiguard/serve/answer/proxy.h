/* SPDX-License-Identifier: Apache-2.0 */
/* What a proxy says of the request that it asks about. Believed only of a trusted peer: what a
 * client can write itself would let it choose who it is, or that it may use a token again. */
#ifndef SERVE_PROXY_H
#define SERVE_PROXY_H

#include "serve/answer/exchange.h"

struct origin {
    bool trusted; /* the peer is a trusted proxy */
    struct peer client;
    unsigned char key[PEER_KEY_BYTES]; /* what counts as one client */
    size_t key_len;                    /* 0: it is not known who asks */
};

struct origin proxy_origin(const struct exchange *exchange);

/* The proxy's id of this request, which is its owner for a while (owner_window.h). Borrowed. */
enum owner_answer { OWNER_NONE, OWNER_SET, OWNER_UNUSABLE };
enum owner_answer proxy_owner(const struct exchange *exchange, const struct origin *origin,
                              jtg_text *id);

/* Method and URL that the client used. false: the proxy does not say, or says it twice. url is
 * *memory or a header's; the caller frees *memory. */
bool proxy_target(const struct exchange *exchange, const struct origin *origin, jtg_text *method,
                  jtg_text *url, char **memory);

#endif
