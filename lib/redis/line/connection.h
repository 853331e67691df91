/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: bytes out, replies in. hiredis reads the protocol; the waits are ours, because
 * its own limit is per read and a server that drips outlives it.
 *
 * Whoever sees anything odd calls jtgi_connection_break(): the connection is then never used
 * again, for a late or a foreign reply would be taken for the answer to a later question. */
#ifndef JTGI_REDIS_CONNECTION_H
#define JTGI_REDIS_CONNECTION_H

#include "redis/line/residence.h"
#include "redis/line/transport.h"
#include "redis/say/address/address.h"
#include "redis/say/keys/marker.h"
#include "redis/say/resp/reply.h"

#include <stdatomic.h>

enum {
    JTGI_RECEIVE_BYTES = 16384,
    JTGI_REPLY_ELEMENTS_MAX = 65536, /* elements of an array that we could have asked for */
    /* Bytes that one reply may have: the largest value, or a long page of keys. */
    JTGI_REPLY_BYTES_MAX = 4 * 1024 * 1024
};

/* Who takes the elements of an array out of it, in turn and while it is being received. */
struct jtgi_taker {
    void (*take)(void *context, const redisReply *element);
    void *context;
};

/* What a pipeline keeps with its connection (flow/pipeline.h). */
struct jtgi_use {
    unsigned refs;      /* under the lock of the pipeline */
    uint64_t next_seal; /* number of the next seal; starts at random */
    int64_t used_ns;    /* when it was last used */
    uint64_t gains;     /* its node's, when its slots were marked */
    int64_t named_ns;   /* when those who name the primary were asked last, and named its server */
    uint64_t place;     /* of its node: which of its addresses this leads to */
};

/* Who is at the other end, as far as it was learnt: what the watch goes by (watch.h). */
struct jtgi_peer {
    uint64_t epoch;                /* under which Sentinels named it, or JTGI_NO_EPOCH */
    struct jtgi_identity identity; /* when the connection was made */
    struct jtgi_who who;           /* the same, short */
    bool clock_known;              /* it said what time it is */
    uint64_t clock_ms;             /* that, in its INFO when it was made; 0: it did not */
    int64_t clock_ahead_ms;        /* its wall clock less our monotonic one, at most */
    int64_t info_ns;               /* the sender's: when all of INFO was asked for last */
    _Atomic int64_t info_asked_ms; /* the same by the clock of the options; the receiver reads it */
    atomic_bool evicts;            /* the server may evict: all of INFO every time */
    _Atomic uint8_t marked[JTGI_SLOTS / 8]; /* slots whose marker named this server */
};

struct jtgi_connection {
    struct jtgi_transport transport;
    redisReader *reader;
    size_t unparsed; /* bytes received since the last whole reply, or element that was taken */
    _Atomic(const char *) broken; /* NULL, or why; set once, by any thread */
    atomic_bool ended;            /* likewise, before it: the server had ended it, and not we */
    char server[JTGI_ADDRESS_MAX_BYTES]; /* where it leads, for people */
    struct jtgi_residence residence;     /* the sender's: does the address still lead there? */
    struct jtgi_use use;
    struct jtgi_peer peer;
    char buffer[JTGI_RECEIVE_BYTES];
};

/* Take a transport. On JTG_ERR_MEMORY it stays the caller's. */
jtg_status jtgi_connection_new(struct jtgi_connection **connection,
                               const struct jtgi_transport *transport, jtg_error *err);
void jtgi_connection_free(struct jtgi_connection *connection);

/* `why` is static, and what a thread that waits in the connection is told. Only the first counts.
 */
void jtgi_connection_break(struct jtgi_connection *connection, const char *why);

/* What went wrong with the bytes. */
struct jtgi_fault {
    enum jtgi_io io;
    int cause;        /* errno, or 0 */
    const char *text; /* static */
    /* The server ended the connection, and not we: what it received it has done by now or never
     * will. What was sent on one that we gave up may still come to it. */
    bool ended;
};

/* The next reply, for freeReplyObject(); NULL with a fault. A timeout, or LATER, may be followed by
 * another call: what has come so far is kept. Every other fault breaks the connection. */
redisReply *jtgi_connection_receive(struct jtgi_connection *connection, int64_t deadline_ns,
                                    struct jtgi_fault *fault);

/* The same of an array that may be larger than a reply may be: one element of it at most is in
 * memory, and the bound is that of each. Every element is borrowed by the taker; those that are
 * left in the reply at its end are NULL. A timeout breaks the connection too, and LATER is one. */
redisReply *jtgi_connection_receive_each(struct jtgi_connection *connection,
                                         const struct jtgi_taker *taker, int64_t deadline_ns,
                                         struct jtgi_fault *fault);

/* Send what is left behind *sent, which counts what has left. A fault breaks the connection, but
 * for LATER, which is followed by another call with the same bytes in the same place. */
bool jtgi_connection_send(struct jtgi_connection *connection, const void *data, size_t len,
                          size_t *sent, int64_t deadline_ns, struct jtgi_fault *fault);

/* Has every byte that came been taken? */
bool jtgi_connection_is_empty(const struct jtgi_connection *connection);

#endif
