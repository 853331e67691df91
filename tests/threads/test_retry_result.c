/* SPDX-License-Identifier: Apache-2.0 */
/* examples/rotation.c: clients that retry at the same moment, beside thieves and a store that loses
 * what was proposed. Of each token one result goes out, to one of them. */
#include "../../examples/rotation.h"
#include "threads/shared_cache.h"

#include <stdio.h>

enum { TOKENS = 2000, RIGHTS = 2, TRIES = 3 };

/* What each try got; empty: it was refused. */
struct results {
    struct rotation rotation;
    char next[TOKENS][THREADS][TRIES][ROTATION_ID_SIZE];
};

static void write_jti(char jti[32], unsigned token)
{
    (void)snprintf(jti, 32, "rt-%u", token);
}

static void try_once(struct shared *shared, unsigned token, unsigned thread, unsigned which)
{
    struct results *results = shared->more;
    char jti[32];
    write_jti(jti, token);
    struct rotation_request request = {"as", "as", jti, shared->clock.wall_ms + 60000,
                                       thread % RIGHTS == 0 ? "client" : "thief"};
    char *next = results->next[token][thread][which];
    jtg_reason reason = rotation_next(&results->rotation, &request, next);
    /* A proposal that is lost between two looks at it: nothing was used up. */
    expect(shared, reason == JTG_REASON_ADMITTED || reason == JTG_REASON_REPLAYED ||
                       reason == JTG_REASON_STORE_UNAVAILABLE);
    if (reason != JTG_REASON_ADMITTED)
        next[0] = '\0';
}

/* The key as rotation.c makes it. */
static void lose_proposal(struct shared *shared, unsigned token)
{
    char jti[32];
    char both[64];
    jtg_owner name = {{0}};
    write_jti(jti, token);
    int length = snprintf(both, sizeof both, "2:as2:as%zu:%sclient", strlen(jti), jti);
    expect(shared, length > 0 && jtg_owner_from_bytes(&name, both, (size_t)length) == JTG_OK);
    jtg_key key = {name.bytes, sizeof name.bytes, NULL, 0};
    jtg_status status = jtg_cache_drop(shared->cache, &key, NULL);
    expect(shared, status == JTG_OK || status == JTG_NOT_FOUND);
}

static void retry_and_steal(void *context, unsigned thread)
{
    struct shared *shared = context;
    for (unsigned token = 0; token < TOKENS; token++)
        for (unsigned which = 0; which < TRIES; which++) {
            try_once(shared, token, thread, which);
            if (thread == 0 && token % 2 == 1)
                lose_proposal(shared, token);
        }
}

/* How many tries got a result; fails where two got different ones. */
static unsigned count_admitted(const struct results *results, unsigned token)
{
    const char *result = NULL;
    unsigned admitted = 0;
    for (unsigned thread = 0; thread < THREADS; thread++)
        for (unsigned which = 0; which < TRIES; which++) {
            const char *next = results->next[token][thread][which];
            if (next[0] == '\0')
                continue;
            admitted++;
            if (result == NULL)
                result = next;
            assert_string_equal(next, result);
        }
    return admitted;
}

static void a_token_has_one_result(void **state)
{
    static struct results results;
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    jtg_guard_options guard_options = JTG_GUARD_OPTIONS_INIT;
    (void)state;
    shared.more = &results;
    shared_open(&shared, options);
    jtg_clock clock = test_clock_as_jtg(&shared.clock);
    guard_options.clock = &clock;
    results.rotation.cache = shared.cache;
    assert_int_equal(jtg_guard_new(&results.rotation.guard, shared.cache, &guard_options, NULL),
                     JTG_OK);
    threads_run(THREADS, retry_and_steal, &shared);
    unsigned lost = 0;
    for (unsigned token = 0; token < TOKENS; token++) {
        unsigned admitted = count_admitted(&results, token);
        /* One of the two rights has it, and with nothing lost all of its tries. */
        if (token % 2 == 0)
            assert_int_equal(admitted, THREADS / RIGHTS * TRIES);
        lost += admitted < THREADS / RIGHTS * TRIES;
    }
    print_message("%u tokens, of %u of which a retry came too late\n", TOKENS, lost);
    jtg_guard_free(results.rotation.guard);
    shared_close(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_token_has_one_result)};
    return cmocka_run_group_tests_name("retry result", tests, NULL, NULL);
}
