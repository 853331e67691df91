/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/route/voices.h"

#include "core/alloc.h"

#include <string.h>

void jtgi_voices_clear(struct jtgi_voices *voices)
{
    for (unsigned i = 0; i < voices->count; i++)
        jtgi_free(voices->list[i]);
    voices->count = 0;
}

bool jtgi_voices_have(const struct jtgi_voices *voices, const char *id)
{
    for (unsigned i = 0; i < voices->count; i++)
        if (strcmp(voices->list[i]->answer.id, id) == 0)
            return true;
    return voices->count == JTGI_VOICES_MAX;
}

/* ---- who belongs together ---- */

static bool knows(const struct jtgi_sentinel_answer *one, const char *id)
{
    for (unsigned i = 0; i < one->peers.count; i++)
        if (strcmp(one->peers.ids[i], id) == 0)
            return true;
    return false;
}

/* They find each other by way of the primary, within two seconds. One that knows nobody yet and
 * says word for word what another says counts with it: what is believed is the same without it. */
static bool is_newcomer_to(const struct jtgi_sentinel_answer *newcomer,
                           const struct jtgi_sentinel_answer *known)
{
    return newcomer->peers.count == 0 && newcomer->epoch == known->epoch &&
           jtgi_address_equals(&newcomer->primary, &known->primary);
}

/* One of the two may have been told to forget the others (SENTINEL RESET). */
static bool belong_together(const struct jtgi_sentinel_answer *one,
                            const struct jtgi_sentinel_answer *other)
{
    return knows(one, other->id) || knows(other, one->id) || is_newcomer_to(one, other) ||
           is_newcomer_to(other, one);
}

static void merge(struct jtgi_voices *voices, unsigned from, unsigned into)
{
    for (unsigned i = 0; i < voices->count; i++)
        if (voices->list[i]->group == from)
            voices->list[i]->group = into;
}

bool jtgi_voices_add(struct jtgi_voices *voices, const struct jtgi_address *address,
                     const struct jtgi_sentinel_answer *answer)
{
    struct jtgi_voice *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return false;
    made->address = *address;
    made->answer = *answer;
    made->group = voices->count;
    voices->list[voices->count++] = made;
    for (unsigned i = 0; i + 1 < voices->count && answer->peers.told; i++)
        if (voices->list[i]->answer.peers.told && belong_together(&voices->list[i]->answer, answer))
            merge(voices, voices->list[i]->group, made->group);
    return true;
}

/* ---- the largest group ---- */

bool jtgi_voices_is_in(const struct jtgi_voices_group *group, const struct jtgi_voice *voice)
{
    return !voice->answer.peers.told || voice->group == group->number;
}

static unsigned count_that_tell(const struct jtgi_voices *voices, unsigned group)
{
    unsigned count = 0;
    for (unsigned i = 0; i < voices->count; i++)
        count += voices->list[i]->answer.peers.told && voices->list[i]->group == group;
    return count;
}

/* A failover goes from one to the others: who of them knows of the latest is right. */
static void add_member(struct jtgi_voices_group *group, const struct jtgi_voice *voice)
{
    const struct jtgi_sentinel_answer *answer = &voice->answer;
    group->count++;
    if (group->best == NULL || answer->epoch > group->best->answer.epoch)
        group->best = voice;
    if (answer->others + 1 > group->most_told)
        group->most_told = answer->others + 1;
}

/* Members that name this one's primary under its epoch. */
static unsigned count_with(const struct jtgi_voices *voices, const struct jtgi_voices_group *group,
                           const struct jtgi_voice *voice)
{
    unsigned count = 0;
    for (unsigned i = 0; i < voices->count; i++)
        count += jtgi_voices_is_in(group, voices->list[i]) &&
                 voices->list[i]->answer.epoch == voice->answer.epoch &&
                 jtgi_address_equals(&voices->list[i]->answer.primary, &voice->answer.primary);
    return count;
}

/* One epoch has one primary. Where two are named under it, one that was told to watch another
 * deployment is still known to those that it left: the others outvote it, wherever it stands. */
static void outvote(const struct jtgi_voices *voices, struct jtgi_voices_group *group)
{
    uint64_t epoch = group->best != NULL ? group->best->answer.epoch : 0;
    for (unsigned i = 0; i < voices->count; i++) {
        const struct jtgi_voice *voice = voices->list[i];
        if (!jtgi_voices_is_in(group, voice) || voice->answer.epoch != epoch ||
            jtgi_address_equals(&voice->answer.primary, &group->best->answer.primary))
            continue;
        unsigned for_it = count_with(voices, group, voice);
        unsigned for_best = count_with(voices, group, group->best);
        if (for_it == for_best)
            group->rival = voice;
        if (for_it <= for_best)
            continue;
        group->best = voice;
        group->rival = NULL;
    }
}

/* Those that do not say are of every group: they tip no scales. */
struct jtgi_voices_group jtgi_voices_largest(const struct jtgi_voices *voices)
{
    struct jtgi_voices_group group = {.number = 0};
    unsigned most = 0;
    unsigned told = 0;
    for (unsigned i = 0; i < voices->count; i++) {
        unsigned here = count_that_tell(voices, i);
        told += here;
        if (here > most) {
            most = here;
            group.number = i;
        }
    }
    group.clear = told == 0 || most > told - most;
    for (unsigned i = 0; i < voices->count; i++) {
        if (jtgi_voices_is_in(&group, voices->list[i]))
            add_member(&group, voices->list[i]);
        else if (group.other == NULL)
            group.other = voices->list[i];
    }
    outvote(voices, &group);
    return group;
}
