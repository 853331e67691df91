/* SPDX-License-Identifier: Apache-2.0 */
/* One line on a terminal that says what is being measured; nothing where stderr is none. */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

/* Replaces the line. threads, run: 0 = not shown. */
void bench_progress_show(const char *what, unsigned threads, unsigned run, unsigned runs);

/* Before anything else is printed. */
void bench_progress_clear(void);

#endif
