/* SPDX-License-Identifier: Apache-2.0 */
/* Some lines of the input, and what came of them: what goes through the pipeline at once. */
#ifndef TOOL_BATCH_H
#define TOOL_BATCH_H

#include "bytes.h"
#include "tally.h"

struct line {
    uint64_t number; /* From 1, blank lines counted. */
    size_t offset;   /* In the batch's text. */
    size_t len;
    bool too_long; /* Then nothing of it was kept. */
};

enum {
    BATCH_LINES = 512,          /* Most lines. */
    BATCH_TEXT_BYTES = 1 << 17, /* Full when it has that many; one long line may go beyond. */
    BATCH_KEEP_BYTES = 1 << 20  /* A buffer that had to grow beyond is given back after use. */
};

struct batch {
    struct bytes text;
    struct line lines[BATCH_LINES];
    size_t line_count;

    struct bytes output; /* One verdict a line, ready to be written. */
    struct tally tally;
    bool out_of_memory; /* The output is not complete. */
    bool stopped;       /* --strict, and its last verdict is of a malformed line. */
};

void batch_reset(struct batch *batch);
void batch_clear(struct batch *batch);
bool batch_is_full(const struct batch *batch);

/* Add a line. false when memory is out. The batch must not be full. */
bool batch_add(struct batch *batch, uint64_t number, const char *text, size_t text_len);
void batch_add_too_long(struct batch *batch, uint64_t number);

#endif
