/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of a command line. */
#ifndef BENCH_NUMBERS_H
#define BENCH_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_LIST_MAX = 16 };

/* Up to so many numbers, none of them 0. */
struct bench_list {
    size_t count;
    unsigned values[BENCH_LIST_MAX];
};

/* A plain decimal number within a range; anything else is false. */
bool bench_number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *number);

/* The same with a fraction, such as 0.25. */
bool bench_fraction_parse(const char *text, double min, double max, double *number);

/* Numbers from 1 to max with commas between them. */
bool bench_list_parse(const char *text, unsigned max, struct bench_list *list);

#endif
