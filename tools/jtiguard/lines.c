/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void lines_init(struct lines *lines, int fd, size_t max_line_bytes)
{
    *lines = (struct lines){.fd = fd, .max_line_bytes = max_line_bytes, .number = 1};
}

void lines_clear(struct lines *lines)
{
    bytes_clear(&lines->partial);
}

static bool is_blank(const char *text, size_t text_len)
{
    for (size_t i = 0; i < text_len; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return true;
}

static bool add_line(struct lines *lines, struct batch *batch, const char *text, size_t text_len)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    uint64_t number = lines->number++;
    if (number == 1 && text_len >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
        text += 3;
        text_len -= 3;
    }
    if (text_len > 0 && text[text_len - 1] == '\r')
        text_len--;
    return is_blank(text, text_len) || batch_add(batch, number, text, text_len);
}

/* A piece of a line that does not end here. */
static bool keep_piece(struct lines *lines, const char *piece, size_t piece_len)
{
    if (lines->too_long || piece_len > lines->max_line_bytes - lines->partial.len) {
        lines->too_long = true;
        bytes_clear(&lines->partial);
        return true;
    }
    return bytes_append(&lines->partial, piece, piece_len);
}

static bool end_line(struct lines *lines, struct batch *batch, const char *piece, size_t piece_len)
{
    bool whole = lines->partial.len == 0 && !lines->too_long;
    if (whole && piece_len <= lines->max_line_bytes)
        return add_line(lines, batch, piece, piece_len);
    if (!keep_piece(lines, piece, piece_len))
        return false;
    bool added = true;
    if (lines->too_long)
        batch_add_too_long(batch, lines->number++);
    else
        added = add_line(lines, batch, lines->partial.data, lines->partial.len);
    lines->partial.len = 0;
    lines->too_long = false;
    return added;
}

/* Cut lines off the block until it is used up or the batch is full. */
static bool cut(struct lines *lines, struct batch *batch)
{
    while (lines->at < lines->block_len && !batch_is_full(batch)) {
        const char *start = lines->block + lines->at;
        size_t left = lines->block_len - lines->at;
        const char *end = memchr(start, '\n', left);
        if (end == NULL) {
            lines->at = lines->block_len;
            return keep_piece(lines, start, left);
        }
        lines->at += (size_t)(end - start) + 1;
        if (!end_line(lines, batch, start, (size_t)(end - start)))
            return false;
    }
    return true;
}

static bool has_input(int fd)
{
    struct pollfd wait = {fd, POLLIN, 0};
    return poll(&wait, 1, 0) != 0;
}

static ssize_t fill_block(struct lines *lines)
{
    ssize_t got;
    do
        got = read(lines->fd, lines->block, sizeof lines->block);
    while (got < 0 && errno == EINTR);
    lines->block_len = got > 0 ? (size_t)got : 0;
    lines->at = 0;
    lines->bytes_read += lines->block_len;
    return got;
}

static bool has_unended_line(const struct lines *lines)
{
    return lines->partial.len > 0 || lines->too_long;
}

static enum lines_answer end_input(struct lines *lines, struct batch *batch)
{
    if (has_unended_line(lines) && !end_line(lines, batch, "", 0))
        return LINES_OUT_OF_MEMORY;
    return LINES_END;
}

enum lines_answer lines_read(struct lines *lines, struct batch *batch, bool may_block)
{
    for (;;) {
        if (!cut(lines, batch))
            return LINES_OUT_OF_MEMORY;
        if (batch_is_full(batch))
            return LINES_FULL;
        if (!may_block && !has_input(lines->fd))
            return LINES_WAIT;
        may_block = false;
        ssize_t got = fill_block(lines);
        if (got < 0)
            return LINES_READ_ERROR;
        if (got == 0)
            return end_input(lines, batch);
    }
}
