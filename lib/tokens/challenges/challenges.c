/* SPDX-License-Identifier: Apache-2.0 */
/* Issue and consume. What can be known without the store is looked at first, so that a value that
 * is none of ours never reaches a bit; then one bit decides, in the store. */
#include "tokens/challenges/challenge_keys.h"
#include "tokens/challenges/challenge_options.h"
#include "tokens/challenges/challenge_ranges.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/object.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

struct jtg_challenges {
    struct jtgi_object base;
    jtg_cache *cache; /* borrowed */
    char name[JTG_CHALLENGE_NAME_MAX_BYTES + 1];
    size_t name_len;
    struct jtgi_challenge_keys keys;
    struct jtgi_challenge_ranges ranges;
};

/* ---- life ---- */

static jtg_status set_up(jtg_challenges *challenges, const jtg_challenges_options *given,
                         jtg_error *err)
{
    jtg_challenges_options options;
    jtg_status status = jtgi_challenges_options_read(&options, given, err);
    if (status == JTG_OK)
        status = jtgi_object_begin(&challenges->base, options.clock, NULL, 0, err);
    if (status != JTG_OK)
        return status;
    challenges->name_len = strlen(options.name);
    memcpy(challenges->name, options.name, challenges->name_len + 1);
    options.name = challenges->name;
    jtgi_challenge_ranges_init(&challenges->ranges, challenges->cache, &challenges->base.clock,
                               &options);
    return jtgi_challenge_keys_init(&challenges->keys, challenges->cache, challenges->name,
                                    options.secret, err);
}

jtg_status jtg_challenges_new(jtg_challenges **challenges, jtg_cache *cache,
                              const jtg_challenges_options *options, jtg_error *err)
{
    jtgi_error_begin(err);
    if (challenges == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the object");
    *challenges = NULL;
    if (cache == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "cache is NULL");
    jtg_challenges *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the object");
    made->cache = cache;
    jtg_status status = set_up(made, options, err);
    if (status != JTG_OK) {
        jtg_challenges_free(made);
        return status;
    }
    *challenges = made;
    return JTG_OK;
}

void jtg_challenges_free(jtg_challenges *challenges)
{
    if (challenges == NULL)
        return;
    jtgi_challenge_keys_clear(&challenges->keys);
    jtgi_challenge_ranges_clear(&challenges->ranges);
    jtgi_object_end(&challenges->base);
    jtgi_free_wiped(challenges, sizeof *challenges);
}

/* ---- what both begin with ---- */

static jtg_status check_object(const jtg_challenges *challenges, jtg_error *err)
{
    if (challenges == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "challenges is NULL");
    return jtgi_object_check(&challenges->base, "the object was", err);
}

static jtg_status check_purpose(const void *purpose, size_t purpose_len, jtg_error *err)
{
    if (purpose == NULL || purpose_len == 0 || purpose_len > JTG_CHALLENGE_PURPOSE_MAX_BYTES)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "purpose does not have 1 to %d bytes",
                             JTG_CHALLENGE_PURPOSE_MAX_BYTES);
    return JTG_OK;
}

static struct jtgi_challenge_scope scope_of(const jtg_challenges *challenges, const void *purpose,
                                            size_t purpose_len)
{
    return (struct jtgi_challenge_scope){challenges->name, challenges->name_len, purpose,
                                         purpose_len};
}

static jtg_status finish(jtg_error *err, jtg_status status)
{
    if (status == JTG_OK)
        jtgi_error_begin(err);
    else
        (void)jtgi_error_set_status(err, status);
    err->status = status;
    return status;
}

/* ---- issue ---- */

/* Those of one range. */
struct issuing {
    jtg_challenges *challenges;
    struct jtgi_challenge_scope scope;
    uint64_t lifetime_ms;
    jtg_challenge *issued;
    size_t left;
    struct jtgi_challenge_key key;
};

static void write_piece(struct issuing *issuing, const struct jtgi_challenge_range *piece)
{
    int64_t now_ms = jtgi_clock_wall_ms(&issuing->challenges->base.clock);
    struct jtgi_challenge challenge = {.born_ms = piece->born_ms,
                                       .end_ms = now_ms + (int64_t)issuing->lifetime_ms};
    memcpy(challenge.range, piece->name, sizeof challenge.range);
    for (uint32_t number = piece->next; number < piece->count; number++) {
        challenge.number = number;
        jtgi_challenge_write(&challenge, &issuing->key, &issuing->scope, issuing->issued->text);
        issuing->issued++;
        issuing->left--;
    }
}

/* With each range the store is asked for the key: there others may have put theirs, or lost ours.
 */
static jtg_status add_range(struct issuing *issuing, jtg_error *err)
{
    jtg_status status = jtgi_challenge_keys_sync(&issuing->challenges->keys, err);
    if (status == JTG_ERR_TIMEOUT)
        status = JTG_ERR_UNAVAILABLE;
    return status == JTG_OK ? jtgi_challenge_ranges_add(&issuing->challenges->ranges, err) : status;
}

/* What goes wrong here is met by whoever finds none left. */
static void add_range_ahead(struct issuing *issuing)
{
    jtg_error unasked = JTG_ERROR_INIT;
    (void)add_range(issuing, &unasked);
    jtgi_challenge_ranges_asked(&issuing->challenges->ranges);
}

static jtg_status issue_all(struct issuing *issuing, jtg_error *err)
{
    struct jtgi_challenge_ranges *ranges = &issuing->challenges->ranges;
    while (issuing->left > 0) {
        struct jtgi_challenge_range piece;
        bool runs_out = false;
        if (jtgi_challenge_ranges_take(ranges, (uint32_t)issuing->left, &piece, &runs_out) > 0) {
            jtgi_challenge_keys_newest(&issuing->challenges->keys, &issuing->key);
            write_piece(issuing, &piece);
            if (runs_out)
                add_range_ahead(issuing);
            continue;
        }
        jtg_status status = add_range(issuing, err);
        if (status != JTG_OK)
            return status;
    }
    return JTG_OK;
}

static jtg_status check_issue(const jtg_challenges *challenges, uint64_t lifetime_ms,
                              const jtg_challenge *issued, size_t count, jtg_error *err)
{
    if (issued == NULL || count == 0 || count > JTG_MANY_MAX)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "not between 1 and %d challenges at once",
                             JTG_MANY_MAX);
    if (lifetime_ms > challenges->ranges.lifetime_ms)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "lifetime_ms is longer than that of the "
                             "options");
    return JTG_OK;
}

static void empty_texts(jtg_challenge *issued, size_t count)
{
    for (size_t i = 0; issued != NULL && i < count && count <= JTG_MANY_MAX; i++)
        sodium_memzero(issued[i].text, sizeof issued[i].text);
}

jtg_status jtg_challenges_issue(jtg_challenges *challenges, const void *purpose, size_t purpose_len,
                                uint64_t lifetime_ms, jtg_challenge *issued, size_t count,
                                jtg_error *err)
{
    jtg_error unasked = JTG_ERROR_INIT;
    err = err != NULL ? err : &unasked;
    jtgi_error_begin(err);
    empty_texts(issued, count);
    jtg_status status = check_object(challenges, err);
    if (status == JTG_OK)
        status = check_purpose(purpose, purpose_len, err);
    if (status == JTG_OK)
        status = check_issue(challenges, lifetime_ms, issued, count, err);
    if (status != JTG_OK)
        return finish(err, status);
    struct issuing issuing = {.challenges = challenges,
                              .scope = scope_of(challenges, purpose, purpose_len),
                              .lifetime_ms =
                                  lifetime_ms != 0 ? lifetime_ms : challenges->ranges.lifetime_ms,
                              .issued = issued,
                              .left = count};
    status = issue_all(&issuing, err);
    sodium_memzero(&issuing.key, sizeof issuing.key);
    if (status != JTG_OK)
        empty_texts(issued, count);
    return finish(err, status);
}

/* ---- consume ---- */

/* One of those that the store is asked for. */
struct asked {
    jtg_consume_call *call;
    unsigned char range[JTGI_CHALLENGE_RANGE_BYTES];
    unsigned char place[JTGI_CHALLENGE_PLACE_BYTES];
};

struct lot {
    jtg_challenges *challenges;
    struct jtgi_moment now;
    jtg_error unasked; /* where nobody asks for one */
    bool has_key;
    struct jtgi_challenge_key key; /* of the last one that was looked at */
    size_t count;
    struct asked *asked;
    jtg_bitmap_call *takes;
};

static jtg_status find_key(struct lot *lot, const unsigned char *id, jtg_error *err)
{
    if (lot->has_key && memcmp(lot->key.id, id, sizeof lot->key.id) == 0)
        return JTG_OK;
    jtg_status status =
        jtgi_challenge_keys_find(&lot->challenges->keys, id, lot->now.monotonic_ms, &lot->key, err);
    lot->has_key = status == JTG_OK;
    return status;
}

static jtg_status check_tag(struct lot *lot, const jtg_consume_call *call,
                            const struct jtgi_challenge_shown *shown, jtg_error *err)
{
    struct jtgi_challenge_scope scope = scope_of(lot->challenges, call->purpose, call->purpose_len);
    jtg_status status = find_key(lot, shown->challenge.key_id, err);
    if (status == JTG_OK && !jtgi_challenge_is_of(shown, &lot->key, &scope))
        status = JTG_MISMATCH;
    return status;
}

/* A range that is born later than any clock may say is of an instance whose clock is ahead: whether
 * everything since then was kept cannot be told by it. */
static jtg_status check_times(const struct lot *lot, const struct jtgi_challenge *challenge,
                              jtg_error *err)
{
    const struct jtgi_challenge_ranges *ranges = &lot->challenges->ranges;
    if (challenge->end_ms <= lot->now.wall_ms)
        return JTG_NOT_FOUND;
    if (ranges->watches && challenge->born_ms > lot->now.wall_ms + ranges->margin_ms)
        return jtg_error_set(err, JTG_ERR_CONTINUITY, 0,
                             "it was issued by a clock that is ahead by more than margin_ms");
    return JTG_OK;
}

static jtg_status look_at(struct lot *lot, const jtg_consume_call *call, size_t count,
                          struct jtgi_challenge_shown *shown, jtg_error *err)
{
    jtg_status status = check_object(lot->challenges, err);
    if (status == JTG_OK && count > JTG_MANY_MAX)
        status =
            jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "more than %d calls at once", JTG_MANY_MAX);
    if (status == JTG_OK)
        status = check_purpose(call->purpose, call->purpose_len, err);
    if (status == JTG_OK && call->text == NULL)
        status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no text");
    if (status == JTG_OK && !jtgi_challenge_read(shown, call->text, call->text_len))
        status = JTG_MISMATCH;
    if (status == JTG_OK)
        status = check_tag(lot, call, shown, err);
    return status == JTG_OK ? check_times(lot, &shown->challenge, err) : status;
}

/* In the words of challenges; the first cause wins. */
static void tell(jtg_error *err, jtg_status status)
{
    if (status == JTG_REPLAYED)
        (void)jtg_error_set(err, status, 0, "the challenge was used before");
    else if (status == JTG_MISMATCH)
        (void)jtg_error_set(err, status, 0, "it is no challenge of ours for this purpose");
    else if (status == JTG_NOT_FOUND)
        (void)jtg_error_set(err, status, 0, "the challenge's time has ended");
}

static void end_call(jtg_consume_call *call, jtg_error *err, jtg_status status)
{
    tell(err, status);
    call->status = finish(err, status);
    call->consumed = call->status == JTG_OK;
}

static void ask_for(struct lot *lot, jtg_consume_call *call, const struct jtgi_challenge *challenge)
{
    const struct jtgi_challenge_ranges *ranges = &lot->challenges->ranges;
    struct asked *asked = &lot->asked[lot->count];
    asked->call = call;
    memcpy(asked->range, challenge->range, sizeof asked->range);
    size_t len = jtgi_challenge_place(ranges, challenge->range, asked->place);
    lot->takes[lot->count++] =
        (jtg_bitmap_call){.key = {asked->place, len, NULL, 0},
                          .bit = challenge->number,
                          .kept_since_ms = jtgi_challenge_needed_ms(ranges, challenge->born_ms),
                          .err = call->err};
}

static void begin_call(struct lot *lot, jtg_consume_call *call, size_t count)
{
    jtg_error *err = call->err != NULL ? call->err : &lot->unasked;
    struct jtgi_challenge_shown shown;
    jtgi_error_begin(err);
    jtg_status status = look_at(lot, call, count, &shown, err);
    if (status == JTG_OK)
        ask_for(lot, call, &shown.challenge);
    else
        end_call(call, err, status);
}

/* A range that is not there, of a challenge whose time has not ended, was there: it is made before
 * its first number goes out, and outlives the last. */
static void hear(struct lot *lot, size_t at)
{
    const struct asked *asked = &lot->asked[at];
    jtg_error *err = asked->call->err != NULL ? asked->call->err : &lot->unasked;
    jtg_status status = lot->takes[at].taken ? JTG_OK : lot->takes[at].status;
    if (status == JTG_REPLAYED || status == JTG_NOT_FOUND)
        jtgi_error_begin(err); /* it speaks of bitmaps */
    if (status == JTG_NOT_FOUND)
        status = jtg_error_set(err, JTG_ERR_CONTINUITY, 0,
                               "the store has forgotten the range of the challenge");
    if (status == JTG_ERR_CONTINUITY)
        jtgi_challenge_ranges_drop(&lot->challenges->ranges, asked->range);
    end_call(asked->call, err, status);
}

static void refuse_without_object(jtg_consume_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        jtg_error unasked = JTG_ERROR_INIT;
        jtg_error *err = calls[i].err != NULL ? calls[i].err : &unasked;
        jtgi_error_begin(err);
        end_call(&calls[i], err, check_object(NULL, err));
    }
}

static void consume_lot(struct lot *lot, jtg_consume_call *calls, size_t count)
{
    if (lot->challenges == NULL) {
        refuse_without_object(calls, count);
        return;
    }
    lot->now = jtgi_moment_now(&lot->challenges->base.clock);
    for (size_t i = 0; i < count; i++)
        begin_call(lot, &calls[i], count);
    sodium_memzero(&lot->key, sizeof lot->key);
    if (lot->count > 0)
        jtg_cache_bitmap_take_many(lot->challenges->cache, lot->takes, lot->count);
    for (size_t i = 0; i < lot->count; i++)
        hear(lot, i);
}

static void refuse_all(jtg_consume_call *calls, size_t count, jtg_status status)
{
    for (size_t i = 0; i < count; i++) {
        calls[i].consumed = false;
        calls[i].status = status;
    }
}

static void refuse_for_memory(jtg_consume_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        calls[i].status =
            jtg_error_set(calls[i].err, JTG_ERR_MEMORY, 0, "no memory for so many at once");
}

void jtg_challenges_consume_many(jtg_challenges *challenges, jtg_consume_call *calls, size_t count)
{
    struct lot lot = {.challenges = challenges};
    if (calls == NULL || count == 0)
        return;
    refuse_all(calls, count, JTG_ERR_ARGUMENT);
    size_t places = count <= JTG_MANY_MAX ? count : 0;
    lot.takes = jtgi_alloc(places * (sizeof *lot.takes + sizeof *lot.asked) + 1);
    if (lot.takes == NULL) {
        refuse_for_memory(calls, count);
        return;
    }
    lot.asked = (void *)(lot.takes + places);
    consume_lot(&lot, calls, count);
    jtgi_free(lot.takes);
}

jtg_status jtg_challenges_consume(jtg_challenges *challenges, const void *purpose,
                                  size_t purpose_len, const char *text, size_t text_len,
                                  jtg_error *err)
{
    struct asked asked;
    jtg_bitmap_call take = JTG_BITMAP_CALL_INIT;
    struct lot lot = {.challenges = challenges, .asked = &asked, .takes = &take};
    jtg_consume_call call = {purpose, purpose_len, text, text_len, err, false, JTG_ERR_ARGUMENT};
    consume_lot(&lot, &call, 1);
    return call.status;
}
