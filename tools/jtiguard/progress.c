/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <jtiguard/clock.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A run shorter than the first needs no line. */
enum { FIRST_AFTER_MS = 1000, AGAIN_AFTER_MS = 200 };

static int64_t monotonic_ms(void)
{
    jtg_clock clock = jtg_clock_system();
    return clock.monotonic_ms(clock.context);
}

static uint64_t size_of_file(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size > 0
               ? (uint64_t)stat.st_size
               : 0;
}

void progress_init(struct progress *progress, bool verdicts_on_stdout, int input_fd)
{
    int64_t now = monotonic_ms();
    bool wanted = isatty(STDERR_FILENO) && !(verdicts_on_stdout && isatty(STDOUT_FILENO));
    *progress = (struct progress){.wanted = wanted,
                                  .started_ms = now,
                                  .next_ms = now + FIRST_AFTER_MS,
                                  .total_bytes = size_of_file(input_fd)};
}

static uint64_t per_second(uint64_t tokens, int64_t elapsed_ms)
{
    return elapsed_ms > 0 ? tokens * 1000 / (uint64_t)elapsed_ms : 0;
}

void progress_update(struct progress *progress, uint64_t tokens, uint64_t bytes_read)
{
    if (!progress->wanted)
        return;
    int64_t now = monotonic_ms();
    if (now < progress->next_ms)
        return;
    progress->next_ms = now + AGAIN_AFTER_MS;
    progress->shown = true;
    (void)fprintf(stderr, "\r\033[K%" PRIu64 " tokens, %" PRIu64 " a second", tokens,
                  per_second(tokens, now - progress->started_ms));
    if (progress->total_bytes > 0 && bytes_read <= progress->total_bytes)
        (void)fprintf(stderr, ", %" PRIu64 " %%",
                      (uint64_t)((double)bytes_read * 100.0 / (double)progress->total_bytes));
    (void)fflush(stderr);
}

void progress_erase(struct progress *progress)
{
    if (progress->shown)
        (void)fputs("\r\033[K", stderr);
    progress->shown = false;
}
