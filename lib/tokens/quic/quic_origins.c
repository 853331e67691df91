/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/quic/quic_origins.h"

#include "tokens/common/wire.h"

#include "core/alloc.h"

#include <jtiguard/quic_tokens.h>
#include <string.h>

enum { FORMAT = 1, HEADER_BYTES = 9, COUNT_BYTES = 8 };

size_t jtgi_quic_origins_count(const void *list, size_t len)
{
    const unsigned char *bytes = list;
    if (len < HEADER_BYTES || bytes[0] != FORMAT ||
        (len - HEADER_BYTES) % JTGI_QUIC_ORIGIN_BYTES != 0)
        return 0;
    size_t count = (len - HEADER_BYTES) / JTGI_QUIC_ORIGIN_BYTES;
    return count <= JTG_QUIC_ORIGINS_LIMIT ? count : 0;
}

const unsigned char *jtgi_quic_origins_at(const void *list, size_t index)
{
    return (const unsigned char *)list + HEADER_BYTES + index * JTGI_QUIC_ORIGIN_BYTES;
}

/* ---- changes ---- */

static uint64_t changes_of(const void *list, size_t len)
{
    struct jtgi_reader reader = jtgi_reader_of(list, len);
    (void)jtgi_read_number(&reader, HEADER_BYTES - COUNT_BYTES);
    return jtgi_read_number(&reader, COUNT_BYTES);
}

/* A new list with room for so many origins, and none yet. */
static struct jtgi_writer begin(struct jtgi_quic_change *change, const void *list, size_t len,
                                size_t count)
{
    memset(change, 0, sizeof *change);
    change->room = HEADER_BYTES + count * JTGI_QUIC_ORIGIN_BYTES;
    change->bytes = jtgi_alloc(change->room);
    struct jtgi_writer writer = jtgi_writer_of(change->bytes, change->room);
    if (change->bytes == NULL)
        return writer;
    jtgi_write_number(&writer, FORMAT, HEADER_BYTES - COUNT_BYTES);
    jtgi_write_number(&writer, changes_of(list, len) + 1, COUNT_BYTES);
    return writer;
}

static bool is_origin(const unsigned char *a, const unsigned char *b)
{
    return memcmp(a, b, JTGI_QUIC_ORIGIN_BYTES) == 0;
}

static void push_out(struct jtgi_quic_change *change, const unsigned char *origin)
{
    memcpy(change->pushed[change->pushed_count++], origin, JTGI_QUIC_ORIGIN_BYTES);
}

jtg_status jtgi_quic_origins_front(struct jtgi_quic_change *change, const void *list, size_t len,
                                   const unsigned char *origin, size_t most)
{
    size_t count = jtgi_quic_origins_count(list, len);
    size_t others = count;
    struct jtgi_writer writer = begin(change, list, len, count + 1);
    if (change->bytes == NULL)
        return JTG_ERR_MEMORY;
    jtgi_write_bytes(&writer, origin, JTGI_QUIC_ORIGIN_BYTES);
    for (size_t i = 0; i < count; i++)
        others -= is_origin(jtgi_quic_origins_at(list, i), origin);
    size_t stay = most - 1;
    if (others > stay + JTGI_QUIC_PUSHED_MAX)
        stay = others - JTGI_QUIC_PUSHED_MAX;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *other = jtgi_quic_origins_at(list, i);
        if (is_origin(other, origin))
            continue;
        if (stay == 0) {
            push_out(change, other);
            continue;
        }
        jtgi_write_bytes(&writer, other, JTGI_QUIC_ORIGIN_BYTES);
        stay--;
    }
    change->len = change->room - writer.left;
    return JTG_OK;
}

jtg_status jtgi_quic_origins_filter(struct jtgi_quic_change *change, const void *list, size_t len,
                                    const bool *keep)
{
    size_t count = jtgi_quic_origins_count(list, len);
    struct jtgi_writer writer = begin(change, list, len, count);
    if (change->bytes == NULL)
        return JTG_ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (keep[i])
            jtgi_write_bytes(&writer, jtgi_quic_origins_at(list, i), JTGI_QUIC_ORIGIN_BYTES);
    change->len = change->room - writer.left;
    return JTG_OK;
}

void jtgi_quic_change_clear(struct jtgi_quic_change *change)
{
    jtgi_free(change->bytes);
    memset(change, 0, sizeof *change);
}
