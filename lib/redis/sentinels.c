/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/sentinels.h"

#include "redis/deadline.h"
#include "redis/sentinel.h"
#include "redis/store.h"

#include <jtiguard/backend.h>
#include <string.h>

enum { PORT_DEFAULT = 26379 };

/* Once most have answered, what the rest add is a failover of this very moment: worth a short wait,
 * and none for those that gave no answer a moment ago. */
#define REST_NS   (50 * JTGI_NS_PER_MS)
#define FORGET_NS JTGI_NS_PER_S

void jtgi_sentinels_init(struct jtgi_sentinels *sentinels, const struct jtgi_redis_config *config)
{
    memset(sentinels, 0, sizeof *sentinels);
    (void)pthread_mutex_init(&sentinels->lock, NULL);
    for (const char *list = config->options.sentinels; list != NULL;)
        if (jtgi_address_next(&list, PORT_DEFAULT, &sentinels->list[sentinels->count].address))
            sentinels->count++;
}

/* One round of questions. */
struct round {
    struct jtgi_redis *redis;
    struct jtgi_sentinels *sentinels;
    int64_t deadline_ns;
    unsigned left;     /* not yet asked */
    unsigned answers;  /* that came */
    unsigned agreeing; /* of those, with the best */
    struct jtgi_sentinel_answer best;
    jtg_error failure; /* of the last that failed */
};

static bool most_have_answered(const struct round *round)
{
    return round->answers > round->sentinels->count / 2;
}

static void note_answer(struct round *round, const struct jtgi_sentinel_answer *answer)
{
    bool better = round->answers == 0 || answer->epoch > round->best.epoch;
    if (better) {
        round->best = *answer;
        round->agreeing = 0;
    }
    round->agreeing += jtgi_address_equals(&answer->primary, &round->best.primary);
    round->answers++;
}

/* What is left is shared among those that are left and the connection to the primary: one that
 * hangs costs its share. One that did so lately, once another has answered, costs little. */
static int64_t share_of(const struct round *round, bool failed_before)
{
    int64_t now = jtgi_now_ns();
    int64_t share = (round->deadline_ns - now) / (round->left + 1);
    bool spare = most_have_answered(round) || (failed_before && round->answers > 0);
    if (spare && share > REST_NS)
        share = REST_NS;
    return now + share;
}

static void ask_one(struct round *round, unsigned place, bool failed_before)
{
    struct jtgi_sentinels *sentinels = round->sentinels;
    struct jtgi_sentinel_answer answer;
    jtg_error err = JTG_ERROR_INIT;
    int64_t until = share_of(round, failed_before);
    round->left--;
    memset(&answer, 0, sizeof answer);
    jtg_status status =
        jtgi_sentinel_ask(round->redis, &sentinels->list[place].address, until, &answer, &err);
    pthread_mutex_lock(&sentinels->lock);
    sentinels->list[place].failed_ns = status == JTG_OK ? 0 : jtgi_now_ns();
    pthread_mutex_unlock(&sentinels->lock);
    if (status == JTG_OK) {
        note_answer(round, &answer);
    } else {
        round->failure = err;
        round->failure.status = status;
    }
}

static int64_t failed_ns(struct jtgi_sentinels *sentinels, unsigned place)
{
    pthread_mutex_lock(&sentinels->lock);
    int64_t failed = sentinels->list[place].failed_ns;
    pthread_mutex_unlock(&sentinels->lock);
    return failed;
}

/* Those that answered last time come first. */
static void ask_all(struct round *round)
{
    bool later[JTG_REDIS_ADDRESSES_LIMIT] = {false};
    unsigned count = round->sentinels->count;
    for (unsigned place = 0; place < count; place++) {
        later[place] = failed_ns(round->sentinels, place) != 0;
        if (!later[place])
            ask_one(round, place, false);
    }
    for (unsigned place = 0; place < count; place++) {
        int64_t since = jtgi_now_ns() - failed_ns(round->sentinels, place);
        if (later[place] && !(most_have_answered(round) && since < FORGET_NS))
            ask_one(round, place, true);
    }
}

/* Two rounds may end in another order than they began: only the lock decides what is newer. */
static jtg_status settle(const struct round *round, struct jtgi_address *primary, jtg_error *err)
{
    struct jtgi_sentinels *sentinels = round->sentinels;
    pthread_mutex_lock(&sentinels->lock);
    bool behind = sentinels->named && round->best.epoch < sentinels->epoch;
    bool changed = sentinels->named && !behind &&
                   !jtgi_address_equals(&sentinels->primary, &round->best.primary);
    if (!behind) {
        sentinels->named = true;
        sentinels->epoch = round->best.epoch;
        sentinels->primary = round->best.primary;
        *primary = round->best.primary;
    }
    pthread_mutex_unlock(&sentinels->lock);
    if (changed)
        jtgi_counters_add(round->redis->counters, JTGI_COUNT_PRIMARY_CHANGES);
    return behind ? jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                                  "redis: the Sentinels that answer are behind what one said "
                                  "before: they may name an old primary")
                  : JTG_OK;
}

jtg_status jtgi_sentinels_ask(struct jtgi_redis *redis, int64_t deadline_ns,
                              struct jtgi_address *primary, unsigned *agreeing, jtg_error *err)
{
    struct round round = {.redis = redis,
                          .sentinels = &redis->sentinels,
                          .deadline_ns = deadline_ns,
                          .left = redis->sentinels.count,
                          .failure = JTG_ERROR_INIT};
    ask_all(&round);
    if (agreeing != NULL)
        *agreeing = round.agreeing;
    if (most_have_answered(&round))
        return settle(&round, primary, err);
    /* Behind a partition a minority goes on naming the old primary, which goes on as one. */
    return jtg_error_set(err, round.failure.status, round.failure.system_errno,
                         round.answers == 0 ? "redis: no Sentinel names the primary: %s"
                                            : "redis: too few of the Sentinels name the "
                                              "primary: %s",
                         strncmp(round.failure.text, "redis: ", 7) == 0 ? round.failure.text + 7
                                                                        : round.failure.text);
}
