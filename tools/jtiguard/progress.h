/* SPDX-License-Identifier: Apache-2.0 */
/* A line on the terminal that says how far a long run has come, and is gone at its end. */
#ifndef TOOL_PROGRESS_H
#define TOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool wanted;
    bool shown;
    int64_t started_ms;
    int64_t next_ms;
    uint64_t total_bytes; /* 0: not known. */
};

/* Wanted when stderr is a terminal, unless verdicts go to a terminal too: they show it. */
void progress_init(struct progress *progress, bool verdicts_on_stdout, int input_fd);

/* Show it, if it is time to. */
void progress_update(struct progress *progress, uint64_t tokens, uint64_t bytes_read);

/* Take it away, before something else is written to the terminal. */
void progress_erase(struct progress *progress);

#endif
