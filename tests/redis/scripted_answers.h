/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis cache whose pipelines answer what a test says: what stands above them (lib/redis/ask) is
 * tested by what it asks and by what it makes of each answer. Nothing connects, and nothing waits.
 * Only in programs that are linked with --wrap=jtgi_pipeline_call. */
#ifndef TESTS_REDIS_SCRIPTED_ANSWERS_H
#define TESTS_REDIS_SCRIPTED_ANSWERS_H

#include "redis/ask/store.h"
#include "redis/scripted_texts.h"
#include "support/asserts.h"

/* One question and what becomes of it. */
struct scripted_answer {
    const char *expects; /* the first words of the command */
    const char *reply;   /* as on the wire; NULL, where it is answered: it was left out */
    enum jtgi_fate fate;
    jtg_status unsent; /* NOT_SENT: why; JTG_OK stands for JTG_ERR_UNAVAILABLE */
    enum jtgi_sight sight;
    int64_t since_ms;    /* KEPT */
    const char *refusal; /* REFUSED: the error that came in place of the marker */
    bool unconfirmed;    /* too few replicas have it */
    bool ended;          /* UNKNOWN: the server had ended the connection */
    bool down;           /* NOT_SENT: the node is down from now on */
};

/* In a list, behind the words. */
#define REPLY(words) .reply = (words)

enum { SCRIPTED_ANSWERS_MAX = 64, SCRIPTED_WORDS_BYTES = 2048 };

/* A question as it was asked. */
struct scripted_question {
    /* By scripted_add_word(); the owner is "oooooooooooooooo". */
    char words[SCRIPTED_WORDS_BYTES];
    char at[JTGI_ADDRESS_MAX_BYTES]; /* the node */
    struct jtgi_question question;   /* its bytes are gone */
    size_t call;                     /* the call of the pipeline that it came with, from 1 */
    int64_t deadline_ns;
};

struct scripted_answers {
    jtg_cache *cache;
    struct jtgi_redis *redis; /* the same */
    jtg_owner owner;
    jtg_error err;
    const struct scripted_answer *list;
    size_t count;
    size_t asked;
    size_t calls; /* of a pipeline */
    struct scripted_question questions[SCRIPTED_ANSWERS_MAX];
};

/* The script of the test that runs; all that is asked of any cache goes through it. */
extern struct scripted_answers scripted;

/* A cache with the prefix "t:", at 127.0.0.1:1. options: NULL, or to start from. */
void scripted_answers_open(const jtg_redis_options *options);

/* One on a Cluster, whose map is young and stays so: slots 0 … 8191 at "127.0.0.1:1", the others
 * at "127.0.0.1:2". */
void scripted_answers_open_cluster(const jtg_redis_options *options);

/* From now on. */
#define ANSWERS(...)                                                                               \
    scripted_answers_follow((const struct scripted_answer[]){__VA_ARGS__},                         \
                            sizeof((const struct scripted_answer[]){__VA_ARGS__}) /                \
                                sizeof(struct scripted_answer))
void scripted_answers_follow(const struct scripted_answer *list, size_t count);

/* All was asked, and nothing beyond. */
void scripted_answers_done(void);

/* Done, and free the cache. */
void scripted_answers_close(void);

jtg_status scripted_answers_reserve(const char *key);
jtg_status scripted_answers_reserve_kept(const char *key, int64_t kept_since_ms);
jtg_redis_stats scripted_answers_stats(void);

#endif
