/* SPDX-License-Identifier: Apache-2.0 */
/* A layer under NSS that keeps what a connection reads first, to be looked at by
 * adapters/nss/client_hello.h, and passes everything on as it is. */
#ifndef JTGI_ADAPTERS_HELLO_LAYER_H
#define JTGI_ADAPTERS_HELLO_LAYER_H

#include "adapters/nss/client_hello.h"

#include <prio.h>
#include <stdbool.h>
#include <stddef.h>

enum { JTGI_HELLO_BYTES = 5 + (1 << 14) }; /* the largest record */

struct jtgi_hello_layer {
    const void *owner; /* borrowed; the pusher's */
    bool datagram;
    bool overrun;         /* more came than is kept */
    unsigned char *bytes; /* NULL once it was looked at */
    size_t len;
    size_t
        datagrams[JTGI_HELLO_PIECES_MAX]; /* where they end, and the next begins: their lengths */
    unsigned datagram_count;
};

/* Under fd, which is NSS's. NULL: no memory, or NSPR refused. It lives until fd is closed. */
struct jtgi_hello_layer *jtgi_hello_layer_push(PRFileDesc *fd, const void *owner);

/* It was looked at: no more is kept. */
void jtgi_hello_layer_done(struct jtgi_hello_layer *layer);

#endif
