/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed layouts, big-endian. Neither side runs over its end: it stops being good, and stays so, so
 * that a caller asks once, after the last field. */
#ifndef JTGI_TOKENS_COMMON_WIRE_H
#define JTGI_TOKENS_COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct jtgi_writer {
    unsigned char *at;
    size_t left;
    bool good;
};

static inline struct jtgi_writer jtgi_writer_of(void *bytes, size_t len)
{
    struct jtgi_writer writer = {bytes, len, true};
    return writer;
}

static inline void jtgi_write_bytes(struct jtgi_writer *writer, const void *bytes, size_t len)
{
    writer->good = writer->good && len <= writer->left;
    if (!writer->good || len == 0)
        return;
    memcpy(writer->at, bytes, len);
    writer->at += len;
    writer->left -= len;
}

/* The low `len` bytes of a number, 1 … 8. */
static inline void jtgi_write_number(struct jtgi_writer *writer, uint64_t number, size_t len)
{
    unsigned char bytes[sizeof number];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(number >> (8 * (sizeof bytes - 1 - i)));
    jtgi_write_bytes(writer, bytes + sizeof bytes - len, len);
}

struct jtgi_reader {
    const unsigned char *at;
    size_t left;
    bool good;
};

static inline struct jtgi_reader jtgi_reader_of(const void *bytes, size_t len)
{
    struct jtgi_reader reader = {bytes, len, true};
    return reader;
}

/* Where the bytes lie, or NULL. */
static inline const unsigned char *jtgi_read_bytes(struct jtgi_reader *reader, size_t len)
{
    reader->good = reader->good && len <= reader->left;
    if (!reader->good)
        return NULL;
    const unsigned char *bytes = reader->at;
    reader->at += len;
    reader->left -= len;
    return bytes;
}

/* A number of `len` bytes, 1 … 8; 0 where the bytes are not there. */
static inline uint64_t jtgi_read_number(struct jtgi_reader *reader, size_t len)
{
    const unsigned char *bytes = jtgi_read_bytes(reader, len);
    uint64_t number = 0;
    for (size_t i = 0; bytes != NULL && i < len; i++)
        number = number << 8 | bytes[i];
    return number;
}

/* Every byte was read, and none too many. */
static inline bool jtgi_reader_ended(const struct jtgi_reader *reader)
{
    return reader->good && reader->left == 0;
}

#endif
