/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

void bench_progress_show(const char *what, unsigned threads, unsigned run, unsigned runs)
{
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%s", what);
    if (threads > 0)
        fprintf(stderr, ", threads %u", threads);
    if (run > 0)
        fprintf(stderr, ", run %u of %u", run, runs);
}

void bench_progress_clear(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}
