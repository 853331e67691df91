/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model.h"

#include <string.h>

jtg_key model_key(unsigned key, unsigned group)
{
    static const char nuls[MODEL_KEYS];
    static const char *const groups[MODEL_GROUPS] = {NULL, "a", "ab", "b"};
    jtg_key made = {nuls, key + 1, groups[group], group == 0 ? 0 : strlen(groups[group])};
    return made;
}

jtg_owner model_owner(unsigned owner)
{
    jtg_owner made = {{0}};
    memcpy(&made.bytes[8], &owner, sizeof owner);
    return made;
}

size_t model_value_bytes(unsigned number, unsigned char bytes[MODEL_VALUE_MAX_BYTES])
{
    size_t len = sizeof number + number % (MODEL_VALUE_MAX_BYTES - sizeof number);
    memset(bytes, (int)(number % 251), len);
    memcpy(bytes, &number, sizeof number);
    return len;
}

/* Drop what has ended, so that all else looks at live entries only. */
static struct model_key *at(struct model *model, unsigned key)
{
    struct model_key *found = &model->keys[key];
    unsigned live = 0;
    if (found->held && found->end_ms <= model->now_ms)
        found->held = false;
    for (unsigned i = 0; i < found->value_count; i++)
        if (found->values[i].end_ms > model->now_ms)
            found->values[live++] = found->values[i];
    found->value_count = live;
    return found;
}

/* ---- what is live ---- */

uint64_t model_reservations(struct model *model)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < MODEL_KEYS; i++)
        number += at(model, i)->held;
    return number;
}

static uint64_t count_group(struct model *model, unsigned group)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < MODEL_KEYS; i++)
        number += at(model, i)->held && model->keys[i].group == group;
    return number;
}

uint64_t model_values(struct model *model)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < MODEL_KEYS; i++)
        number += at(model, i)->value_count;
    return number;
}

static uint64_t bytes_of(const struct model_key *key, unsigned from)
{
    unsigned char bytes[MODEL_VALUE_MAX_BYTES];
    uint64_t sum = 0;
    for (unsigned i = from; i < key->value_count; i++)
        sum += model_value_bytes(key->values[i].number, bytes);
    return sum;
}

uint64_t model_bytes(struct model *model)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < MODEL_KEYS; i++)
        if (at(model, i)->value_count != 0)
            sum += bytes_of(&model->keys[i], 0) + model_key(i, 0).data_len;
    return sum;
}

uint64_t model_count(struct model *model)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < MODEL_KEYS; i++)
        number += (uint64_t)at(model, i)->held + (model->keys[i].value_count != 0);
    return number;
}

/* ---- reservations ---- */

jtg_status model_ping(struct model *model)
{
    return model_reservations(model) < model->max_entries ? JTG_OK : JTG_ERR_FULL;
}

jtg_status model_reserve(struct model *model, unsigned key, unsigned group, unsigned owner,
                         uint64_t ttl_ms)
{
    struct model_key *entry = at(model, key);
    int64_t end_ms = model->now_ms + (int64_t)ttl_ms;
    if (entry->held && entry->owner != owner)
        return JTG_REPLAYED;
    if (entry->held) {
        entry->end_ms = end_ms > entry->end_ms ? end_ms : entry->end_ms;
        return JTG_OK;
    }
    if (group != 0 && model->max_entries_per_group != 0 &&
        count_group(model, group) >= model->max_entries_per_group)
        return JTG_ERR_GROUP_FULL;
    if (model_ping(model) != JTG_OK)
        return JTG_ERR_FULL;
    entry->held = true;
    entry->owner = owner;
    entry->group = group;
    entry->end_ms = end_ms;
    return JTG_OK;
}

jtg_status model_release(struct model *model, unsigned key, unsigned owner)
{
    struct model_key *entry = at(model, key);
    if (!entry->held)
        return JTG_NOT_FOUND;
    if (entry->owner != owner)
        return JTG_NOT_OWNER;
    entry->held = false;
    return JTG_OK;
}

/* ---- values ---- */

jtg_status model_put(struct model *model, unsigned key, unsigned number, uint64_t ttl_ms,
                     size_t keep)
{
    struct model_key *entry = at(model, key);
    unsigned char bytes[MODEL_VALUE_MAX_BYTES];
    unsigned kept = entry->value_count < keep ? entry->value_count : (unsigned)keep - 1;
    uint64_t sum = model_bytes(model) + model_value_bytes(number, bytes) - bytes_of(entry, kept);
    if (entry->value_count == 0)
        sum += model_key(key, 0).data_len;
    if (model_values(model) - entry->value_count + kept >= model->max_values ||
        sum > model->max_value_bytes)
        return JTG_ERR_FULL;

    memmove(&entry->values[1], &entry->values[0], kept * sizeof entry->values[0]);
    entry->values[0].number = number;
    entry->values[0].end_ms = model->now_ms + (int64_t)ttl_ms;
    entry->value_count = kept + 1;
    return JTG_OK;
}

struct model_value model_get(struct model *model, unsigned key)
{
    static const struct model_value none;
    const struct model_key *entry = at(model, key);
    return entry->value_count == 0 ? none : entry->values[0];
}

struct model_value model_take(struct model *model, unsigned key)
{
    struct model_value taken = model_get(model, key);
    struct model_key *entry = &model->keys[key];
    if (taken.number != 0) {
        entry->value_count--;
        memmove(&entry->values[0], &entry->values[1], entry->value_count * sizeof entry->values[0]);
    }
    return taken;
}

jtg_status model_swap(struct model *model, unsigned key, unsigned expected, unsigned number,
                      uint64_t ttl_ms)
{
    if (model_get(model, key).number != expected)
        return JTG_MISMATCH;
    if (number != 0)
        return model_put(model, key, number, ttl_ms, 1);
    model->keys[key].value_count = 0;
    return JTG_OK;
}

jtg_status model_drop(struct model *model, unsigned key)
{
    struct model_key *entry = at(model, key);
    bool found = entry->value_count != 0;
    entry->value_count = 0;
    return found ? JTG_OK : JTG_NOT_FOUND;
}

void model_clear(struct model *model)
{
    memset(model->keys, 0, sizeof model->keys);
}
