/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

static void empty(struct bytes *bytes)
{
    if (bytes->capacity > BATCH_KEEP_BYTES)
        bytes_clear(bytes);
    bytes->len = 0;
}

void batch_reset(struct batch *batch)
{
    empty(&batch->text);
    empty(&batch->output);
    batch->line_count = 0;
    batch->tally = (struct tally){{0}};
    batch->out_of_memory = false;
    batch->stopped = false;
}

void batch_clear(struct batch *batch)
{
    bytes_clear(&batch->text);
    bytes_clear(&batch->output);
}

bool batch_is_full(const struct batch *batch)
{
    return batch->line_count == BATCH_LINES || batch->text.len >= BATCH_TEXT_BYTES;
}

bool batch_add(struct batch *batch, uint64_t number, const char *text, size_t text_len)
{
    size_t offset = batch->text.len;
    if (!bytes_append(&batch->text, text, text_len))
        return false;
    batch->lines[batch->line_count++] = (struct line){number, offset, text_len, false};
    return true;
}

void batch_add_too_long(struct batch *batch, uint64_t number)
{
    batch->lines[batch->line_count++] = (struct line){number, batch->text.len, 0, true};
}
