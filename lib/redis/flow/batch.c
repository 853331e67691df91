/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/batch.h"

#include "core/alloc.h"
#include "redis/line/deadline.h"
#include "redis/say/resp/command.h"

#include <errno.h>
#include <string.h>

static const char seal_head[] = "*2\r\n$4\r\nPING\r\n$16\r\n";
static const char asking[] = "*1\r\n$6\r\nASKING\r\n";

enum {
    FIRST_BYTES = 4096,
    FIRST_SLOTS = 32,
    KEPT_BYTES = 1 << 18, /* a larger buffer is given back: it carried large values once */
    SEAL_BYTES = sizeof seal_head - 1 + 16 + 2,
    WAIT_BYTES = 64,
    TAIL_BYTES = WAIT_BYTES + JTGI_INFO_MAX_BYTES + SEAL_BYTES /* but for the looks */
};

struct jtgi_batch *jtgi_batch_new(void)
{
    struct jtgi_batch *batch = jtgi_alloc(sizeof *batch);
    if (batch == NULL)
        return NULL;
    batch->bytes = jtgi_alloc(FIRST_BYTES);
    batch->slots = jtgi_alloc(FIRST_SLOTS * sizeof *batch->slots);
    batch->looks = jtgi_alloc(FIRST_SLOTS * sizeof *batch->looks);
    batch->capacity = FIRST_BYTES;
    batch->slot_capacity = FIRST_SLOTS;
    if (batch->bytes == NULL || batch->slots == NULL || batch->looks == NULL) {
        jtgi_batch_free(batch);
        return NULL;
    }
    jtgi_batch_reset(batch);
    return batch;
}

static redisReply *free_reply(redisReply *reply)
{
    if (reply != NULL)
        freeReplyObject(reply);
    return NULL;
}

static void free_replies(struct jtgi_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        batch->slots[i].reply = free_reply(batch->slots[i].reply);
    for (size_t i = 0; i < batch->look_count; i++)
        batch->looks[i].reply = free_reply(batch->looks[i].reply);
    batch->info = free_reply(batch->info);
    batch->count = 0;
    batch->look_count = 0;
}

void jtgi_batch_free(struct jtgi_batch *batch)
{
    if (batch == NULL)
        return;
    if (batch->slots != NULL && batch->looks != NULL)
        free_replies(batch);
    if (batch->bytes != NULL)
        jtgi_free_wiped(batch->bytes, batch->capacity);
    jtgi_free(batch->slots);
    jtgi_free(batch->looks);
    jtgi_free(batch);
}

void jtgi_batch_reset(struct jtgi_batch *batch)
{
    free_replies(batch);
    atomic_store_explicit(&batch->word, JTGI_BATCH_WAITING, memory_order_relaxed);
    atomic_store_explicit(&batch->refs, 1, memory_order_relaxed);
    batch->len = 0;
    batch->earliest_ns = INT64_MAX;
    batch->repeatable = true;
    batch->wait_ns = 0;
    batch->doubt_ns = 0;
    batch->full_info = false;
    batch->part = JTGI_PART_COMMANDS;
    batch->at = 0;
    batch->confirmed = true;
    batch->unhealthy = false;
    batch->waiting = 0;
    batch->commands = 0;
    batch->driven = false;
    batch->life = JTGI_LIFE_FILLING;
    batch->connection = NULL;
    batch->alone = false;
    batch->next = NULL;
    batch->fate = JTGI_FATE_UNKNOWN;
    batch->ended = false;
    batch->error.status = JTG_OK;
    batch->error.system_errno = 0;
    batch->error.text[0] = '\0';
    if (batch->capacity > KEPT_BYTES) {
        unsigned char *smaller = jtgi_alloc(FIRST_BYTES);
        if (smaller == NULL)
            return;
        jtgi_free_wiped(batch->bytes, batch->capacity);
        batch->bytes = smaller;
        batch->capacity = FIRST_BYTES;
    }
}

static bool grow_bytes(struct jtgi_batch *batch, size_t more)
{
    size_t capacity = batch->capacity * 2 + more;
    unsigned char *bytes = jtgi_alloc(capacity);
    if (bytes == NULL)
        return false;
    memcpy(bytes, batch->bytes, batch->len);
    jtgi_free_wiped(batch->bytes, batch->capacity);
    batch->bytes = bytes;
    batch->capacity = capacity;
    return true;
}

static bool grow_slots(struct jtgi_batch *batch, size_t more)
{
    size_t capacity = batch->slot_capacity * 2;
    while (capacity < batch->count + more)
        capacity *= 2;
    struct jtgi_slot *slots = jtgi_alloc(capacity * sizeof *slots);
    struct jtgi_look *looks = jtgi_alloc(capacity * sizeof *looks);
    if (slots == NULL || looks == NULL) {
        jtgi_free(slots);
        jtgi_free(looks);
        return false;
    }
    memcpy(slots, batch->slots, batch->count * sizeof *slots);
    jtgi_free(batch->slots);
    jtgi_free(batch->looks); /* they are filled when the batch is finished */
    batch->slots = slots;
    batch->looks = looks;
    batch->slot_capacity = capacity;
    return true;
}

/* Room for so many more commands, and for the tail that they may need. */
static bool make_room(struct jtgi_batch *batch, size_t count, size_t len)
{
    size_t needed = len + TAIL_BYTES + (batch->count + count) * JTGI_LOOK_MAX_BYTES;
    if (batch->capacity - batch->len < needed && !grow_bytes(batch, needed))
        return false;
    return batch->count + count <= batch->slot_capacity || grow_slots(batch, count);
}

static void append(struct jtgi_batch *batch, const void *bytes, size_t len)
{
    memcpy(batch->bytes + batch->len, bytes, len);
    batch->len += len;
}

static size_t head_len_of(const struct jtgi_question *question)
{
    return question->asking ? sizeof asking - 1 : 0;
}

static void put(struct jtgi_batch *batch, const struct jtgi_question *question)
{
    size_t head_len = head_len_of(question);
    struct jtgi_slot added = {.offset = batch->len,
                              .len = head_len + question->len,
                              .asking = question->asking,
                              .writes = question->writes,
                              .watched = question->watched,
                              .slot = question->slot,
                              .kept_since_ms = question->kept_since_ms};
    append(batch, asking, head_len);
    append(batch, question->bytes, question->len);
    batch->repeatable = batch->repeatable && question->repeatable;
    batch->slots[batch->count++] = added;
}

bool jtgi_batch_add(struct jtgi_batch *batch, struct jtgi_exchange *first)
{
    size_t count = 0;
    size_t len = 0;
    first->place = batch->count;
    for (const struct jtgi_exchange *at = first; at != NULL; at = at->next) {
        count++;
        len += head_len_of(&at->question) + at->question.len;
    }
    if (!make_room(batch, count, len))
        return false;
    for (const struct jtgi_exchange *at = first; at != NULL; at = at->next)
        put(batch, &at->question);
    batch->commands += count;
    return true;
}

/* Those that are to have no bytes any more lose them, in one pass over all. */
static void squeeze(struct jtgi_batch *batch)
{
    size_t len = 0;
    for (size_t i = 0; i < batch->count; i++) {
        struct jtgi_slot *slot = &batch->slots[i];
        if (slot->removed)
            slot->len = 0;
        if (slot->offset != len)
            memmove(batch->bytes + len, batch->bytes + slot->offset, slot->len);
        slot->offset = len;
        len += slot->len;
    }
    batch->len = len;
}

static void mark_removed(struct jtgi_slot *slot)
{
    slot->removed = true;
    slot->asking = false;
}

void jtgi_batch_remove(struct jtgi_batch *batch, size_t place, size_t count)
{
    for (size_t i = place; i < place + count; i++)
        mark_removed(&batch->slots[i]);
    squeeze(batch);
    batch->commands -= count;
}

/* ---- the tail ---- */

/* What the store has not kept: the command goes, its look stays. */
static void leave_out(struct jtgi_batch *batch, const struct jtgi_watch *watch,
                      const struct jtgi_connection *connection)
{
    bool any = false;
    for (size_t i = 0; i < batch->count; i++) {
        struct jtgi_slot *slot = &batch->slots[i];
        slot->watched = slot->watched && watch != NULL && !slot->removed;
        if (!slot->watched ||
            jtgi_watch_lets_pass(watch, connection, slot->slot, slot->kept_since_ms))
            continue;
        mark_removed(slot);
        slot->writes = false;
        any = true;
    }
    if (any)
        squeeze(batch);
}

static void append_wait(struct jtgi_batch *batch, const struct jtgi_durability *durability,
                        int64_t now_ns)
{
    /* Half of what is left to the most hurried caller: the answer has to come home in time, for a
     * connection whose replies nobody takes is lost. WAIT 0 would wait for ever. */
    int64_t wait_ms = (batch->earliest_ns - now_ns) / 2 / JTGI_NS_PER_MS;
    struct jtgi_command command;
    if (wait_ms > durability->timeout_ms)
        wait_ms = durability->timeout_ms;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, durability->fsync ? 4 : 3);
    jtgi_command_text(&command, durability->fsync ? "WAITAOF" : "WAIT");
    if (durability->fsync)
        jtgi_command_number(&command, 1);
    jtgi_command_number(&command, durability->replicas);
    jtgi_command_number(&command, wait_ms < 1 ? 1 : (uint64_t)wait_ms);
    append(batch, command.bytes, command.len);
    batch->wait_ns = (wait_ms < 1 ? 1 : wait_ms) * JTGI_NS_PER_MS;
    batch->confirmed = false;
}

/* Neighbours of one slot share a look. */
static void add_look(struct jtgi_batch *batch, const struct jtgi_watch *watch,
                     struct jtgi_slot *asker)
{
    if (batch->look_count == 0 || batch->looks[batch->look_count - 1].slot != asker->slot) {
        struct jtgi_look look = {.slot = asker->slot, .sight = JTGI_SIGHT_NONE};
        batch->looks[batch->look_count++] = look;
        batch->len += jtgi_watch_build_look(watch, asker->slot, batch->bytes + batch->len);
    }
    asker->look = batch->look_count - 1;
}

static void append_looks(struct jtgi_batch *batch, const struct jtgi_watch *watch,
                         struct jtgi_connection *connection)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->slots[i].watched)
            add_look(batch, watch, &batch->slots[i]);
    if (batch->look_count == 0)
        return;
    batch->len +=
        jtgi_watch_build_info(watch, connection, batch->bytes + batch->len, &batch->full_info);
}

static void append_seal(struct jtgi_batch *batch, uint64_t number)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof batch->seal; i++)
        batch->seal[i] = hex[number >> (4 * i) & 15];
    append(batch, seal_head, sizeof seal_head - 1);
    append(batch, batch->seal, sizeof batch->seal);
    append(batch, "\r\n", 2);
}

static bool holds_write(const struct jtgi_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->slots[i].writes && !batch->slots[i].removed)
            return true;
    return false;
}

void jtgi_batch_finish(struct jtgi_batch *batch, const struct jtgi_watch *watch,
                       const struct jtgi_durability *durability, struct jtgi_connection *connection,
                       int64_t now_ns)
{
    leave_out(batch, watch, connection);
    if ((durability->replicas != 0 || durability->fsync) && holds_write(batch))
        append_wait(batch, durability, now_ns);
    append_looks(batch, watch, connection);
    append_seal(batch, connection->use.next_seal++);
}

/* ---- receiving ---- */

/* What one attempt goes on with. */
struct reading {
    struct jtgi_batch *batch;
    const struct jtgi_durability *durability;
    struct jtgi_connection *connection;
    int64_t deadline_ns;
    struct jtgi_fault *fault;
};

static redisReply *receive_reply(const struct reading *reading)
{
    redisReply *reply =
        jtgi_connection_receive(reading->connection, reading->deadline_ns, reading->fault);
    const struct jtgi_error_row *row = reply == NULL ? NULL : jtgi_reply_error(reply);
    if (row != NULL && !row->healthy)
        reading->batch->unhealthy = true;
    return reply;
}

static bool receive_into(const struct reading *reading, redisReply **reply)
{
    *reply = receive_reply(reading);
    return *reply != NULL;
}

/* What ASKING itself is answered says nothing: the command behind it says whether it helped. */
static bool receive_asking(const struct reading *reading, struct jtgi_slot *slot)
{
    if (!slot->asking)
        return true;
    redisReply *reply = receive_reply(reading);
    slot->asking = reply == NULL;
    if (reply != NULL)
        freeReplyObject(reply);
    return reply != NULL;
}

static bool receive_command(const struct reading *reading, struct jtgi_slot *slot)
{
    if (slot->removed)
        return true;
    if (!receive_asking(reading, slot))
        return false;
    return receive_into(reading, &slot->reply);
}

/* Did as many confirm? An error is a server that cannot do it: the gate of the next connection
 * says why. */
static bool is_confirmed(const redisReply *reply, const struct jtgi_durability *durability)
{
    long long count = 0;
    const redisReply *replicas = reply;
    if (durability->fsync) {
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
            !jtgi_reply_integer(reply->element[0], 1, INT32_MAX, &count))
            return false;
        replicas = reply->element[1];
    }
    return jtgi_reply_integer(replicas, durability->replicas, INT32_MAX, &count);
}

static bool receive_wait(const struct reading *reading)
{
    struct jtgi_batch *batch = reading->batch;
    redisReply *reply = receive_reply(reading);
    if (reply == NULL)
        return false;
    batch->confirmed = is_confirmed(reply, reading->durability);
    if (reply->type == REDIS_REPLY_ERROR)
        batch->unhealthy = true;
    freeReplyObject(reply);
    return true;
}

static bool receive_seal(const struct reading *reading)
{
    const struct jtgi_batch *batch = reading->batch;
    struct jtgi_fault *fault = reading->fault;
    redisReply *reply = jtgi_connection_receive(reading->connection, reading->deadline_ns, fault);
    if (reply == NULL)
        return false;
    bool matches = jtgi_reply_is_bytes(reply, batch->seal, sizeof batch->seal);
    freeReplyObject(reply);
    if (!matches) {
        fault->io = JTGI_IO_FAILED;
        fault->cause = EPROTO;
        fault->text = "the server's replies do not belong to our questions";
        jtgi_connection_break(reading->connection, fault->text);
    }
    return matches;
}

static bool receive_part(const struct reading *reading)
{
    struct jtgi_batch *batch = reading->batch;
    switch (batch->part) {
    case JTGI_PART_COMMANDS:
        for (; batch->at < batch->count; batch->at++)
            if (!receive_command(reading, &batch->slots[batch->at]))
                return false;
        return true;
    case JTGI_PART_WAIT:
        return batch->wait_ns == 0 || receive_wait(reading);
    case JTGI_PART_LOOKS:
        for (; batch->at < batch->look_count; batch->at++)
            if (!receive_into(reading, &batch->looks[batch->at].reply))
                return false;
        return true;
    case JTGI_PART_INFO:
        return batch->look_count == 0 || receive_into(reading, &batch->info);
    case JTGI_PART_SEAL:
        break;
    }
    return receive_seal(reading);
}

bool jtgi_batch_receive(struct jtgi_batch *batch, const struct jtgi_durability *durability,
                        struct jtgi_connection *connection, int64_t deadline_ns,
                        struct jtgi_fault *fault)
{
    struct reading reading = {batch, durability, connection, deadline_ns, fault};
    while (receive_part(&reading)) {
        if (batch->part == JTGI_PART_SEAL)
            return true;
        batch->part++;
        batch->at = 0;
    }
    return false;
}

/* Of bits.lua: a letter for each bit, 1 for one that is taken now. Share.lua answers with a text
 * too, and only for a reservation that is ours: whatever stands in it, it may count. */
static bool has_taken_bit(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING && memchr(reply->str, '1', reply->len) != NULL;
}

/* +OK of SET, 1 of a script, a bit that is taken, or a value that is: with its time, as a list. */
static bool is_yes(const struct jtgi_slot *slot)
{
    return slot->writes && slot->reply != NULL &&
           (jtgi_reply_is_ok(slot->reply) || has_taken_bit(slot->reply) ||
            slot->reply->type == REDIS_REPLY_ARRAY ||
            (slot->reply->type == REDIS_REPLY_INTEGER && slot->reply->integer > 0));
}

static void note_yes(const struct jtgi_batch *batch, struct jtgi_watch *watch,
                     const struct jtgi_connection *connection)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct jtgi_slot *slot = &batch->slots[i];
        if (!is_yes(slot))
            continue;
        if (slot->watched)
            batch->looks[slot->look].yes = true;
        else if (watch != NULL)
            jtgi_watch_note_yes(watch, connection, slot->slot);
    }
}

void jtgi_batch_judge(struct jtgi_batch *batch, struct jtgi_watch *watch,
                      struct jtgi_connection *connection)
{
    note_yes(batch, watch, connection);
    if (batch->look_count == 0)
        return;
    if (!jtgi_watch_judge(watch, connection, batch->looks, batch->look_count, batch->info,
                          batch->full_info))
        batch->unhealthy = true;
    batch->identity =
        connection->peer.identity; /* the connection may be gone when it is asked for */
}

static void take(struct jtgi_batch *batch, struct jtgi_slot *taken, struct jtgi_answer *answer)
{
    answer->reply = taken->reply;
    taken->reply = NULL;
    answer->over = true;
    answer->confirmed = batch->confirmed;
    answer->sight = JTGI_SIGHT_NONE;
    if (!taken->watched)
        return;
    const struct jtgi_look *look = &batch->looks[taken->look];
    answer->sight = look->sight;
    answer->since_ms = look->since_ms;
    answer->refusal = look->refusal;
    if (look->sight == JTGI_SIGHT_UNMARKED)
        answer->identity = batch->identity;
}

void jtgi_batch_take(struct jtgi_batch *batch, const struct jtgi_exchange *first)
{
    struct jtgi_slot *slot = &batch->slots[first->place];
    for (const struct jtgi_exchange *at = first; at != NULL; at = at->next)
        take(batch, slot++, at->answer);
}
