/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers that a seed repeats. */
#ifndef TESTS_SUPPORT_RANDOM_H
#define TESTS_SUPPORT_RANDOM_H

#include <stdint.h>

struct random_source {
    uint64_t state;
};

/* JTIGUARD_TEST_SEED (a decimal number) where it is set, else one drawn from the system. A test
 * prints it, so that a failure can be repeated. */
uint64_t random_seed(void);

void random_init(struct random_source *source, uint64_t seed);
uint64_t random_next(struct random_source *source);

/* 0 … bound-1; bound is not 0. */
uint64_t random_below(struct random_source *source, uint64_t bound);

#endif
