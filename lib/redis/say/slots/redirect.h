/* SPDX-License-Identifier: Apache-2.0 */
/* MOVED and ASK: where another node is. No I/O, no locks. */
#ifndef JTGI_REDIS_REDIRECT_H
#define JTGI_REDIS_REDIRECT_H

#include "redis/say/address/address.h"

struct jtgi_redirect {
    uint16_t slot;
    struct jtgi_address address;
};

/* Read "MOVED slot host:port" or "ASK …". An empty host is that of the node that was asked. False
 * for what is badly formed or names no place ("?"). */
bool jtgi_redirect_read(struct jtgi_redirect *redirect, const char *text, size_t text_len,
                        const struct jtgi_address *asked);

#endif
