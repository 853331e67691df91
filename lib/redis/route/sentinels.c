/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/route/sentinels.h"

#include "core/log.h"
#include "redis/flow/counts.h"
#include "redis/line/deadline.h"
#include "redis/line/link.h"
#include "redis/route/sentinel.h"
#include "redis/route/voices.h"

#include <jtiguard/status.h>
#include <string.h>

/* Once most have answered, what the rest add is a failover of this very moment: worth a short wait,
 * and none for those that gave no answer a moment ago. */
#define REST_NS   (50 * JTGI_NS_PER_MS)
#define FORGET_NS JTGI_NS_PER_S
#define TELL_NS   (60 * JTGI_NS_PER_S)

void jtgi_sentinels_init(struct jtgi_sentinels *sentinels, struct jtgi_shared *shared)
{
    memset(sentinels, 0, sizeof *sentinels);
    sentinels->shared = shared;
    (void)pthread_mutex_init(&sentinels->lock, NULL);
    for (const char *list = shared->config.options.sentinels; list != NULL;)
        if (jtgi_address_next(&list, JTGI_SENTINEL_PORT_DEFAULT,
                              &sentinels->list[sentinels->count].address))
            sentinels->count++;
}

/* One round of questions. */
struct round {
    struct jtgi_sentinels *sentinels;
    struct jtgi_shared *shared; /* theirs */
    int64_t deadline_ns;
    unsigned left;                  /* entries that are not yet asked */
    bool expanded;                  /* a name led to several */
    bool resolves;                  /* names are compared by where they lead to */
    struct jtgi_voices voices;      /* of different Sentinels */
    struct jtgi_voices_group group; /* of those */
    jtg_error failure;              /* of the last that failed */
};

/* An entry that is a second way to one is counted as one that does not answer: whoever writes three
 * entries means three, and two of them are not a majority of what he means. One entry says nothing
 * of how many there are: it may be the name of all of them that leads to the last one which is up,
 * or to the one that is cut off together with an old primary. */
static uint64_t members_of(const struct round *round)
{
    uint64_t entries = round->sentinels->count;
    uint64_t told = round->group.most_told;
    bool counted_by_list = entries > 1 && !round->expanded;
    return told > entries && !counted_by_list ? told : entries;
}

/* That know one another: a stranger adds nothing, whatever it says. */
static bool most_have_answered(const struct round *round)
{
    return round->group.clear && round->group.count > members_of(round) / 2;
}

/* Sentinels that announce names and such that announce addresses may name one primary. */
static bool names_same(const struct round *round, bool resolves, const struct jtgi_address *one,
                       const struct jtgi_address *other)
{
    struct jtgi_address ones[JTG_REDIS_ADDRESSES_LIMIT];
    struct jtgi_address others[JTG_REDIS_ADDRESSES_LIMIT];
    unsigned counts[2] = {0, 0};
    if (jtgi_address_equals(one, other))
        return true;
    if (!resolves || one->port != other->port ||
        jtgi_link_find_all(&round->shared->dialer, one, round->deadline_ns, ones, &counts[0],
                           NULL) != JTG_OK ||
        jtgi_link_find_all(&round->shared->dialer, other, round->deadline_ns, others, &counts[1],
                           NULL) != JTG_OK)
        return false;
    for (unsigned i = 0; i < counts[0] * counts[1]; i++)
        if (jtgi_address_equals(&ones[i / counts[1]], &others[i % counts[1]]))
            return true;
    return false;
}

/* For the doctor: only for him is the resolver asked. */
static unsigned count_agreeing(const struct round *round)
{
    const struct jtgi_voices *voices = &round->voices;
    unsigned count = 0;
    for (unsigned i = 0; i < voices->count; i++)
        count += jtgi_voices_is_in(&round->group, voices->list[i]) &&
                 names_same(round, round->resolves, &voices->list[i]->answer.primary,
                            &round->group.best->answer.primary);
    return count;
}

static void tell_twofold(const struct round *round, const struct jtgi_address *address)
{
    struct jtgi_sentinels *sentinels = round->sentinels;
    char text[JTGI_ADDRESS_MAX_BYTES];
    pthread_mutex_lock(&sentinels->lock);
    bool told = sentinels->told_twofold;
    sentinels->told_twofold = true;
    pthread_mutex_unlock(&sentinels->lock);
    if (told)
        return;
    jtgi_address_format(address, text, sizeof text);
    jtgi_log(&round->shared->config.logger, JTG_LOG_WARNING,
             "redis: the Sentinel at %s stands in the list twice, by two names or addresses: it "
             "counts once",
             text);
}

/* What is left is shared among those that are left and the connection to the primary: one that
 * hangs costs its share. One that did so lately, once another has answered, costs little. */
static int64_t share_of(const struct round *round, bool failed_before)
{
    int64_t now = jtgi_now_ns();
    int64_t share = (round->deadline_ns - now) / (round->left + 1);
    bool spare = most_have_answered(round) || (failed_before && round->voices.count > 0);
    if (spare && share > REST_NS)
        share = REST_NS;
    return now + share;
}

static bool note_failure(struct round *round, const struct jtgi_address *address, jtg_status status,
                         const jtg_error *err)
{
    static const jtg_error none = JTG_ERROR_INIT;
    round->failure = none;
    round->failure.status =
        jtgi_link_tell(&round->shared->dialer, address, status, err, &round->failure);
    return false;
}

static bool note_voice(struct round *round, const struct jtgi_address *address,
                       const struct jtgi_sentinel_answer *answer)
{
    static const jtg_error none = JTG_ERROR_INIT;
    if (!jtgi_voices_add(&round->voices, address, answer)) {
        round->failure = none;
        round->failure.status = jtg_error_set(&round->failure, JTG_ERR_MEMORY, 0,
                                              "redis: no memory for what a Sentinel says");
        return false;
    }
    round->group = jtgi_voices_largest(&round->voices);
    return true;
}

/* One name, and what it leads to. */
struct entry {
    const struct jtgi_address *listed; /* a certificate must carry its host */
    unsigned addresses;                /* some may well lead to the same Sentinel */
    unsigned answers;                  /* of those */
    bool several;                      /* two of them are different ones */
    char id[JTGI_SENTINEL_ID_BYTES];   /* who answered first */
};

static void note_id(struct entry *entry, const char id[JTGI_SENTINEL_ID_BYTES])
{
    if (entry->answers++ == 0)
        memcpy(entry->id, id, sizeof entry->id);
    else if (strcmp(entry->id, id) != 0)
        entry->several = true;
}

static void ask_member(struct round *round, struct entry *entry, const struct jtgi_address *address,
                       int64_t until_ns)
{
    /* An operator finds what is mapped by what stands in the list. */
    const struct jtgi_address *told = address->mapped ? entry->listed : address;
    struct jtgi_sentinel_answer answer;
    jtg_error err = JTG_ERROR_INIT;
    memset(&answer, 0, sizeof answer);
    jtg_status status = jtgi_sentinel_ask(&round->shared->dialer, address, entry->listed->host,
                                          until_ns, &answer, &err);
    if (status != JTG_OK) {
        (void)note_failure(round, told, status, &err);
        return;
    }
    bool known = jtgi_voices_have(&round->voices, answer.id);
    if (!known && !note_voice(round, told, &answer))
        return;
    if (known && entry->addresses == 1)
        tell_twofold(round, told);
    note_id(entry, answer.id);
}

/* An address of each family is one machine's as a rule. Of several of one family each may be a
 * Sentinel, unless all have answered and are the same. */
static bool leads_to_several(const struct entry *entry, const struct jtgi_address *addresses)
{
    unsigned v6 = 0;
    for (unsigned i = 0; i < entry->addresses; i++)
        v6 += strchr(addresses[i].host, ':') != NULL;
    bool machines = v6 > 1 || entry->addresses - v6 > 1;
    return entry->several || (machines && entry->answers < entry->addresses);
}

/* Every address that the name of an entry has, or the one that it is mapped to. True if one
 * answered. */
static bool ask_entry(struct round *round, const struct jtgi_address *listed, int64_t until_ns)
{
    struct jtgi_address addresses[JTG_REDIS_ADDRESSES_LIMIT];
    struct entry entry = {.listed = listed};
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtgi_link_find_all(&round->shared->dialer, listed, until_ns, addresses,
                                           &entry.addresses, &err);
    if (status != JTG_OK)
        return note_failure(round, listed, status, &err);
    for (unsigned i = 0; i < entry.addresses; i++) {
        int64_t now_ns = jtgi_now_ns();
        int64_t share_ns = (until_ns - now_ns) / (entry.addresses - i);
        ask_member(round, &entry, &addresses[i], now_ns + share_ns);
    }
    round->expanded = round->expanded || leads_to_several(&entry, addresses);
    return entry.answers > 0;
}

static void ask_one(struct round *round, unsigned place, bool failed_before)
{
    struct jtgi_sentinels *sentinels = round->sentinels;
    int64_t until_ns = share_of(round, failed_before);
    round->left--;
    bool answered = ask_entry(round, &sentinels->list[place].address, until_ns);
    pthread_mutex_lock(&sentinels->lock);
    sentinels->list[place].failed_ns = answered ? 0 : jtgi_now_ns();
    pthread_mutex_unlock(&sentinels->lock);
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
static jtg_status settle(const struct round *round, struct jtgi_naming *naming, jtg_error *err)
{
    struct jtgi_sentinels *sentinels = round->sentinels;
    const struct jtgi_sentinel_answer *best = &round->group.best->answer;
    pthread_mutex_lock(&sentinels->lock);
    bool behind = sentinels->named && best->epoch < sentinels->epoch;
    bool changed =
        sentinels->named && !behind && !jtgi_address_equals(&sentinels->primary, &best->primary);
    if (!behind) {
        sentinels->named = true;
        sentinels->epoch = best->epoch;
        sentinels->primary = best->primary;
        naming->primary = best->primary;
        naming->epoch = best->epoch;
    }
    pthread_mutex_unlock(&sentinels->lock);
    if (changed)
        jtgi_counters_add(round->shared->counters, JTGI_COUNT_PRIMARY_CHANGES);
    return behind ? jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                                  "redis: the Sentinels that answer are behind what one said "
                                  "before: they may name an old primary")
                  : JTG_OK;
}

/* It does not mend itself: somebody has to know. */
static void tell_stranger(const struct round *round)
{
    struct jtgi_sentinels *sentinels = round->sentinels;
    const struct jtgi_voice *stranger = round->group.other;
    char text[JTGI_ADDRESS_MAX_BYTES];
    int64_t now_ns = jtgi_now_ns();
    if (stranger == NULL)
        return;
    pthread_mutex_lock(&sentinels->lock);
    bool lately =
        sentinels->told_stranger_ns != 0 && now_ns - sentinels->told_stranger_ns < TELL_NS;
    if (!lately)
        sentinels->told_stranger_ns = now_ns;
    pthread_mutex_unlock(&sentinels->lock);
    if (lately)
        return;
    jtgi_address_format(&stranger->address, text, sizeof text);
    jtgi_log(&round->shared->config.logger, JTG_LOG_ERROR,
             "redis: the Sentinel at %s does not know the others, nor they it: it belongs to "
             "another deployment and is not believed: take it out of the list",
             text);
}

/* Enough have answered, and nobody can say which of them are ours. Those that were set up a moment
 * ago find each other within seconds, so it is worth another attempt. */
static jtg_status fail_strange(const struct round *round, jtg_error *err)
{
    char one[JTGI_ADDRESS_MAX_BYTES];
    char other[JTGI_ADDRESS_MAX_BYTES];
    jtgi_address_format(&round->group.best->address, one, sizeof one);
    jtgi_address_format(&round->group.other->address, other, sizeof other);
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                         "redis: the Sentinels at %s and %s do not know each other: take the one "
                         "of another deployment out of the list",
                         one, other);
}

/* Two primaries under one epoch, and none has more voices. */
static jtg_status fail_torn(const struct round *round, jtg_error *err)
{
    char one[JTGI_ADDRESS_MAX_BYTES];
    char other[JTGI_ADDRESS_MAX_BYTES];
    char by_one[JTGI_ADDRESS_MAX_BYTES];
    char by_other[JTGI_ADDRESS_MAX_BYTES];
    jtgi_address_format(&round->group.best->answer.primary, one, sizeof one);
    jtgi_address_format(&round->group.best->address, by_one, sizeof by_one);
    jtgi_address_format(&round->group.rival->answer.primary, other, sizeof other);
    jtgi_address_format(&round->group.rival->address, by_other, sizeof by_other);
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                         "redis: the Sentinel at %s names %s, and as many name %s, as that at %s "
                         "does: take those of another deployment out of the list",
                         by_one, one, other, by_other);
}

static jtg_status believe(const struct round *round, struct jtgi_naming *naming, jtg_error *err)
{
    const struct jtgi_voice *best = round->group.best;
    const struct jtgi_voice *rival = round->group.rival;
    tell_stranger(round);
    if (rival != NULL && !names_same(round, true, &best->answer.primary, &rival->answer.primary))
        return fail_torn(round, err);
    return settle(round, naming, err);
}

static const char unlisted[] =
    ": list all that they know of; those that are gone for good are forgotten by SENTINEL RESET";

/* Behind a partition a minority goes on naming the old primary, which goes on as one. */
static jtg_status fail_few(const struct round *round, jtg_error *err)
{
    const char *why = round->failure.text;
    if (round->group.other != NULL && round->voices.count > members_of(round) / 2)
        return fail_strange(round, err);
    if (round->voices.count == 0)
        return jtg_error_set(err, round->failure.status, round->failure.system_errno,
                             "redis: no Sentinel names the primary: %s",
                             strncmp(why, "redis: ", 7) == 0 ? why + 7 : why);
    if (why[0] == '\0')
        return jtg_error_set(
            err, JTG_ERR_UNAVAILABLE, 0,
            "redis: too few of the Sentinels name the primary: %u of %llu answer%s",
            round->voices.count, (unsigned long long)members_of(round),
            members_of(round) > round->sentinels->count ? unlisted : "");
    return jtg_error_set(err, round->failure.status, round->failure.system_errno,
                         "redis: too few of the Sentinels name the primary: %u of %llu answer: %s",
                         round->voices.count, (unsigned long long)members_of(round),
                         strncmp(why, "redis: ", 7) == 0 ? why + 7 : why);
}

jtg_status jtgi_sentinels_ask(struct jtgi_sentinels *sentinels, int64_t deadline_ns,
                              struct jtgi_naming *naming, jtg_error *err)
{
    struct round round = {.sentinels = sentinels,
                          .shared = sentinels->shared,
                          .deadline_ns = deadline_ns,
                          .left = sentinels->count,
                          .resolves = naming->resolves,
                          .failure = JTG_ERROR_INIT};
    ask_all(&round);
    bool most = most_have_answered(&round);
    naming->members = (unsigned)members_of(&round);
    naming->answers = round.voices.count;
    naming->agreeing = count_agreeing(&round);
    jtg_status status = most ? believe(&round, naming, err) : fail_few(&round, err);
    jtgi_voices_clear(&round.voices);
    return status;
}
