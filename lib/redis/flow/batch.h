/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of many callers that go out together, and their replies.
 *
 * A batch holds copies of the commands and owns the replies, and nothing in it points to a
 * caller: one that gives up leaves nothing behind that could be written to. It lives until the
 * last of its callers, and the pipeline, have let go of it.
 *
 * Behind the commands goes the tail: WAIT, where replicas have to confirm what was written; GET of
 * the markers and INFO, where the store is watched. Last the seal: PING with a number that was
 * never used before on this connection. A batch counts only when that number comes back behind its
 * replies, so no reply of an earlier, timed out or foreign question can be taken for one of its
 * own, whatever was lost or inserted. */
#ifndef JTGI_REDIS_BATCH_H
#define JTGI_REDIS_BATCH_H

#include "redis/flow/question.h"
#include "redis/flow/word.h"

/* Values of jtgi_batch.word; changed under the pipeline's lock only. */
enum {
    JTGI_BATCH_WAITING,       /* somebody drives it, or it waits for its turn */
    JTGI_BATCH_DRIVER_WANTED, /* one of its callers must go on with it */
    JTGI_BATCH_DONE           /* replies and fate are final */
};

/* Where a batch is on its way. Changed under the pipeline's lock only. */
enum jtgi_life {
    JTGI_LIFE_FILLING, /* takes commands */
    JTGI_LIFE_FLYING,  /* is on its connection: some of its bytes may have left */
    JTGI_LIFE_DONE     /* replies and fate are final: its word is DONE */
};

/* What it consists of, in this order. */
enum jtgi_part {
    JTGI_PART_COMMANDS,
    JTGI_PART_WAIT, /* may be left out, as the next two */
    JTGI_PART_LOOKS,
    JTGI_PART_INFO,
    JTGI_PART_SEAL
};

struct jtgi_slot {
    redisReply *reply;
    size_t offset; /* of its command in bytes */
    size_t len;
    bool removed; /* its caller left before it was sent; it has no bytes and no reply */
    bool asking;  /* the answer to ASKING comes first, and has not come yet */
    bool writes;
    bool watched;
    uint16_t slot; /* of the Cluster */
    int64_t kept_since_ms;
    size_t look; /* its place in looks, if it is watched */
};

/* What must have happened to a write before it counts. All zero: nothing. */
struct jtgi_durability {
    uint32_t replicas;
    uint32_t timeout_ms;
    bool fsync;
};

struct jtgi_batch {
    jtgi_word word;
    atomic_uint refs;

    /* Under the pipeline's lock while it fills; the driver's alone while it flies. */
    unsigned char *bytes;
    size_t len;
    size_t capacity;
    struct jtgi_slot *slots;
    size_t count;
    size_t slot_capacity;
    int64_t earliest_ns; /* deadline of its callers */
    bool repeatable;     /* each of them asks again when no answer comes */
    int64_t wait_ns;     /* what WAIT may take of the time; 0: it is not asked */
    int64_t doubt_ns;    /* until when an answer is waited for on a doubtful line; 0: it is none */
    struct jtgi_look *looks; /* as many places as slots */
    size_t look_count;       /* 0: INFO is not asked either */
    bool full_info;
    bool confirmed;
    enum jtgi_part part; /* whose reply comes next, */
    size_t at;           /* and which, of the commands or looks: all before it have come */
    redisReply *info;
    char seal[16];
    bool unhealthy; /* an error reply condemned the connection */

    /* Under the pipeline's lock. */
    unsigned waiting; /* callers that have not given up, the driver among them */
    size_t commands;  /* of theirs, while it fills */
    bool driven;
    bool alone; /* nothing flew when its sender took its connection */
    enum jtgi_life life;
    /* One reference, while it flies; before that its sender's, who alone touches it then. */
    struct jtgi_connection *connection;
    struct jtgi_batch *next;

    /* Final once the word is DONE. */
    struct jtgi_identity identity; /* of the server, if the store is watched */
    enum jtgi_fate fate;
    bool ended; /* UNKNOWN only: the server ended the connection (struct jtgi_fault) */
    jtg_error error;
};

/* NULL when out of memory. One reference. */
struct jtgi_batch *jtgi_batch_new(void);
void jtgi_batch_free(struct jtgi_batch *batch);

/* Make an old batch as good as new, with one reference; its memory stays. */
void jtgi_batch_reset(struct jtgi_batch *batch);

/* Copy the commands of a caller in; false when out of memory (unchanged). Leaves room for tail and
 * seal. */
bool jtgi_batch_add(struct jtgi_batch *batch, struct jtgi_exchange *first);

/* Take so many commands, that were added together, out again, before they were sent. */
void jtgi_batch_remove(struct jtgi_batch *batch, size_t place, size_t count);

/* End it for this connection: leave out what the store has not kept, add the tail, and seal it.
 * Never fails: the room was kept. watch may be NULL. */
void jtgi_batch_finish(struct jtgi_batch *batch, const struct jtgi_watch *watch,
                       const struct jtgi_durability *durability, struct jtgi_connection *connection,
                       int64_t now_ns);

/* Receive what is missing. True when the seal has come back; else *fault says why not. After a
 * timeout it may be called again, by another thread too. */
bool jtgi_batch_receive(struct jtgi_batch *batch, const struct jtgi_durability *durability,
                        struct jtgi_connection *connection, int64_t deadline_ns,
                        struct jtgi_fault *fault);

/* Then: what the looks say. Condemns the connection (unhealthy) where they say so. */
void jtgi_batch_judge(struct jtgi_batch *batch, struct jtgi_watch *watch,
                      struct jtgi_connection *connection);

/* A caller takes its answers out of a batch that was answered. */
void jtgi_batch_take(struct jtgi_batch *batch, const struct jtgi_exchange *first);

#endif
