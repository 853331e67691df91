/* SPDX-License-Identifier: Apache-2.0 */
#include "support/random.h"

#include "support/asserts.h"

#include <stdlib.h>
#include <sys/random.h>

uint64_t random_seed(void)
{
    const char *given = getenv("JTIGUARD_TEST_SEED");
    if (given != NULL && given[0] != '\0') {
        char *end = NULL;
        uint64_t seed = strtoull(given, &end, 10);
        if (*end != '\0')
            fail_msg("JTIGUARD_TEST_SEED is not a decimal number");
        return seed;
    }
    uint64_t seed = 0;
    assert_int_equal(getrandom(&seed, sizeof seed, 0), sizeof seed);
    return seed;
}

void random_init(struct random_source *source, uint64_t seed)
{
    source->state = seed;
}

/* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
uint64_t random_next(struct random_source *source)
{
    uint64_t mixed = source->state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

uint64_t random_below(struct random_source *source, uint64_t bound)
{
    return random_next(source) % bound;
}
