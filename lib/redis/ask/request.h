/* SPDX-License-Identifier: Apache-2.0 */
/* One operation of a caller on its way to the server that holds its key. */
#ifndef JTGI_REDIS_REQUEST_H
#define JTGI_REDIS_REQUEST_H

#include "redis/route/route.h"
#include "redis/say/keys/stored_key.h"
#include "redis/say/resp/command.h"
#include "redis/say/resp/scripts.h"

struct jtgi_request {
    struct jtgi_route *route;
    struct jtgi_node *node; /* goes to this one only, held by the caller; NULL: by its slot */
    uint16_t slot;          /* where its key lies; 0 without Cluster */
    int64_t deadline_ns;
    jtg_error *err;
    uint64_t answered_by; /* serial of the node whose reply came last */
    bool *line_is_odd;    /* set when it was none that was asked for; NULL: the pipeline is told */

    /* Of the next question: may it be asked again when no answer comes, does it write, is it a
     * reservation, and what does that need? */
    bool repeatable;
    bool writes;
    bool watched;
    int64_t kept_since_ms;
    struct jtgi_answer answer; /* to the last one, but for its reply */
    bool detoured;             /* it came from a node that is taking the slot over */
};

void jtgi_request_init(struct jtgi_request *request, struct jtgi_route *route, uint32_t timeout_ms,
                       jtg_error *err);

/* It goes to where this key lies. */
void jtgi_request_aim(struct jtgi_request *request, const struct jtgi_stored_key *key);

/* One question. What was certainly not sent is sent again while there is time, unless the
 * store is down; in a Cluster it follows its key. ANSWERED: *reply is the caller's; NULL for a
 * watched question that was left out. */
enum jtgi_fate jtgi_request_send(struct jtgi_request *request, const struct jtgi_command *command,
                                 redisReply **reply);

/* What one question has gone through (request.c). */
struct jtgi_journey {
    struct jtgi_node *node;   /* that is asked now; held, but for the caller's own */
    struct jtgi_node *detour; /* that ASK named: the next question goes there; held */
    bool asking;              /* and has to say so */
    uint16_t detour_slot;     /* one of that node's own */
    unsigned sends;
    unsigned redirects;
    bool under_way;          /* it has not come to its end */
    bool asked;              /* in this round */
    enum jtgi_onward onward; /* behind it */
};

/* One question of many that are sent together, each of a request of its own. */
struct jtgi_errand {
    struct jtgi_request *request; /* NULL: none in this place */
    const void *bytes;            /* its command; NULL: there was no memory for it */
    size_t len;
    enum jtgi_fate fate; /* what came of it, and the reply, as of jtgi_request_send() */
    redisReply *reply;
    struct jtgi_journey journey;
    struct jtgi_exchange exchange;
};

/* ---- its rounds, for whoever asks the nodes: those below, or a front that does not wait ---- */

/* A new question: request, bytes and len are set. Whether it is under way says its journey; if not,
 * its request's err says why. */
void jtgi_errand_set_out(struct jtgi_errand *errand);

/* Where it goes in this round: its journey's node. False: it is not under way (any more). */
bool jtgi_errand_find_way(struct jtgi_errand *errand);

/* What is asked of that node. */
struct jtgi_exchange *jtgi_errand_put(struct jtgi_errand *errand);

/* What came of it. why: unless it is ANSWERED. */
void jtgi_errand_take(struct jtgi_errand *errand, enum jtgi_fate fate, const jtg_error *why);

/* Then: is it worth another round, and after a moment (JTGI_REQUEST_PAUSE_NS)? */
bool jtgi_errand_look_onward(struct jtgi_errand *errand);
#define JTGI_REQUEST_PAUSE_NS (10 * JTGI_NS_PER_MS)

/* And last: does it go on? If not, fate and reply are what came of the question. */
bool jtgi_errand_end_round(struct jtgi_errand *errand);

/* ---- */

/* As jtgi_request_send() for each of them: what goes to one node goes in one batch, in this order.
 * The nodes are asked one after the other. All have one deadline. */
void jtgi_request_send_all(struct jtgi_errand *errands, size_t count);

/* The same of what only reads: asked once more, while there is time, when no answer came. */
enum jtgi_fate jtgi_request_read(struct jtgi_request *request, const struct jtgi_command *command,
                                 redisReply **reply);

/* The words of a script behind its first key. */
struct jtgi_word_list {
    struct {
        const void *data;
        size_t len;
    } words[6];
    size_t count;
    size_t keys; /* so many of the first are keys too, in the slot of the first */
};

void jtgi_words_add(struct jtgi_word_list *list, const void *data, size_t len);

/* The command that runs a script, up to its first key: so many words must follow. */
void jtgi_script_begin(struct jtgi_command *command, enum jtgi_script script, bool in_full,
                       const struct jtgi_stored_key *key, size_t words);

/* The command that runs a script: EVALSHA, or in full EVAL, for a server that does not know it. */
void jtgi_script_command(struct jtgi_command *command, enum jtgi_script script, bool in_full,
                         const struct jtgi_stored_key *key, const struct jtgi_word_list *arguments);
bool jtgi_script_is_unknown(enum jtgi_fate fate, const redisReply *reply);

/* EVALSHA, and EVAL where the server does not know the script. */
enum jtgi_fate jtgi_request_script(struct jtgi_request *request, enum jtgi_script script,
                                   const struct jtgi_stored_key *key,
                                   const struct jtgi_word_list *arguments, redisReply **reply);

/* May an operation whose outcome is unknown be asked again now? Counts it. */
bool jtgi_request_may_repeat(const struct jtgi_request *request);

/* Have as many replicas as are asked for confirmed what the last question wrote? And what to answer
 * when they have not; counts it. */
bool jtgi_request_is_confirmed(const struct jtgi_request *request);
jtg_status jtgi_request_say_unconfirmed(const struct jtgi_request *request);

/* What to answer when what the store has kept cannot be read; when the slot is being moved; when it
 * has kept everything, but only since a moment that is too late. */
jtg_status jtgi_request_say_unreadable(const struct jtgi_request *request);
jtg_status jtgi_request_say_moving(const struct jtgi_request *request);
jtg_status jtgi_request_say_forgotten(const struct jtgi_request *request);

/* What to answer for a reply that is an error, or is not what was asked for (then the connection
 * is closed, and `unexpected` is the status). */
jtg_status jtgi_request_reject(const struct jtgi_request *request, const redisReply *reply,
                               jtg_status unexpected);

#endif
