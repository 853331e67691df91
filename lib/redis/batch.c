/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/batch.h"

#include "core/alloc.h"

#include <errno.h>
#include <string.h>

static const char seal_head[] = "*2\r\n$4\r\nPING\r\n$16\r\n";

enum {
    FIRST_BYTES = 4096,
    FIRST_SLOTS = 32,
    KEPT_BYTES = 1 << 18, /* a larger buffer is given back: it carried large values once */
    SEAL_BYTES = sizeof seal_head - 1 + 16 + 2
};

struct jtgi_batch *jtgi_batch_new(void)
{
    struct jtgi_batch *batch = jtgi_alloc(sizeof *batch);
    if (batch == NULL)
        return NULL;
    batch->bytes = jtgi_alloc(FIRST_BYTES);
    batch->slots = jtgi_alloc(FIRST_SLOTS * sizeof *batch->slots);
    batch->capacity = FIRST_BYTES;
    batch->slot_capacity = FIRST_SLOTS;
    if (batch->bytes == NULL || batch->slots == NULL) {
        jtgi_batch_free(batch);
        return NULL;
    }
    jtgi_batch_reset(batch);
    return batch;
}

static void free_replies(struct jtgi_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->slots[i].reply != NULL)
            freeReplyObject(batch->slots[i].reply);
    batch->count = 0;
}

void jtgi_batch_free(struct jtgi_batch *batch)
{
    if (batch == NULL)
        return;
    if (batch->slots != NULL)
        free_replies(batch);
    if (batch->bytes != NULL)
        jtgi_free_wiped(batch->bytes, batch->capacity);
    jtgi_free(batch->slots);
    jtgi_free(batch);
}

void jtgi_batch_reset(struct jtgi_batch *batch)
{
    free_replies(batch);
    atomic_store_explicit(&batch->word, JTGI_BATCH_WAITING, memory_order_relaxed);
    atomic_store_explicit(&batch->refs, 1, memory_order_relaxed);
    batch->len = 0;
    batch->answered = 0;
    batch->unhealthy = false;
    batch->waiting = 0;
    batch->driven = false;
    batch->in_flight = false;
    batch->connection = NULL;
    batch->next = NULL;
    batch->fate = JTGI_FATE_UNKNOWN;
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

static bool grow_slots(struct jtgi_batch *batch)
{
    size_t capacity = batch->slot_capacity * 2;
    struct jtgi_slot *slots = jtgi_alloc(capacity * sizeof *slots);
    if (slots == NULL)
        return false;
    memcpy(slots, batch->slots, batch->count * sizeof *slots);
    jtgi_free(batch->slots);
    batch->slots = slots;
    batch->slot_capacity = capacity;
    return true;
}

bool jtgi_batch_add(struct jtgi_batch *batch, const void *bytes, size_t len, size_t *slot)
{
    if (batch->capacity - batch->len < len + SEAL_BYTES && !grow_bytes(batch, len + SEAL_BYTES))
        return false;
    if (batch->count == batch->slot_capacity && !grow_slots(batch))
        return false;
    struct jtgi_slot added = {NULL, batch->len, len, false};
    memcpy(batch->bytes + batch->len, bytes, len);
    batch->len += len;
    batch->slots[batch->count] = added;
    *slot = batch->count++;
    return true;
}

void jtgi_batch_remove(struct jtgi_batch *batch, size_t slot)
{
    struct jtgi_slot *gone = &batch->slots[slot];
    unsigned char *start = batch->bytes + gone->offset;
    memmove(start, start + gone->len, batch->len - gone->offset - gone->len);
    batch->len -= gone->len;
    for (size_t i = slot + 1; i < batch->count; i++)
        batch->slots[i].offset -= gone->len;
    gone->len = 0;
    gone->removed = true;
}

void jtgi_batch_seal(struct jtgi_batch *batch, uint64_t number)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof batch->seal; i++)
        batch->seal[i] = hex[number >> (4 * i) & 15];
    memcpy(batch->bytes + batch->len, seal_head, sizeof seal_head - 1);
    batch->len += sizeof seal_head - 1;
    memcpy(batch->bytes + batch->len, batch->seal, sizeof batch->seal);
    batch->len += sizeof batch->seal;
    memcpy(batch->bytes + batch->len, "\r\n", 2);
    batch->len += 2;
}

static bool receive_one(struct jtgi_batch *batch, struct jtgi_slot *slot,
                        struct jtgi_connection *connection, int64_t deadline_ns,
                        struct jtgi_fault *fault)
{
    if (slot->removed)
        return true;
    slot->reply = jtgi_connection_receive(connection, deadline_ns, fault);
    if (slot->reply == NULL)
        return false;
    const struct jtgi_error_row *row = jtgi_reply_error(slot->reply);
    if (row != NULL && !row->healthy)
        batch->unhealthy = true;
    return true;
}

static bool receive_seal(const struct jtgi_batch *batch, struct jtgi_connection *connection,
                         int64_t deadline_ns, struct jtgi_fault *fault)
{
    redisReply *reply = jtgi_connection_receive(connection, deadline_ns, fault);
    if (reply == NULL)
        return false;
    bool matches = jtgi_reply_is_bytes(reply, batch->seal, sizeof batch->seal);
    freeReplyObject(reply);
    if (!matches) {
        fault->io = JTGI_IO_FAILED;
        fault->cause = EPROTO;
        fault->text = "the server's replies do not belong to our questions";
        jtgi_connection_break(connection);
    }
    return matches;
}

bool jtgi_batch_receive(struct jtgi_batch *batch, struct jtgi_connection *connection,
                        int64_t deadline_ns, struct jtgi_fault *fault)
{
    for (; batch->answered < batch->count; batch->answered++)
        if (!receive_one(batch, &batch->slots[batch->answered], connection, deadline_ns, fault))
            return false;
    return receive_seal(batch, connection, deadline_ns, fault);
}
