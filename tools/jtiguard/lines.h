/* SPDX-License-Identifier: Apache-2.0 */
/* The input, cut into lines, with bounded memory whatever its lines are.
 *
 * A line ends with LF, CR LF or the end of the input. Blank lines are counted and left out. A
 * byte order mark before the first line is left out. */
#ifndef TOOL_LINES_H
#define TOOL_LINES_H

#include "batch.h"

enum { LINES_BLOCK_BYTES = 1 << 16 };

struct lines {
    int fd;
    size_t max_line_bytes;
    uint64_t number;     /* Of the line that is being read. */
    uint64_t bytes_read; /* For the progress line. */

    char block[LINES_BLOCK_BYTES]; /* As read; from `at` on not yet cut. */
    size_t block_len;
    size_t at;

    struct bytes partial; /* The start of a line that goes on in the next block. */
    bool too_long;        /* The line being read is: the rest is thrown away. */
};

enum lines_answer {
    LINES_FULL,          /* The batch is full. */
    LINES_WAIT,          /* The input has no more right now; a read would block. */
    LINES_END,           /* The input has ended. */
    LINES_READ_ERROR,    /* errno says why. */
    LINES_OUT_OF_MEMORY, /* A line could not be kept. */
};

void lines_init(struct lines *lines, int fd, size_t max_line_bytes);
void lines_clear(struct lines *lines);

/* Add lines to a batch until one of the answers. With may_block the first read waits for input,
 * so that LINES_WAIT comes only after something was read. */
enum lines_answer lines_read(struct lines *lines, struct batch *batch, bool may_block);

#endif
