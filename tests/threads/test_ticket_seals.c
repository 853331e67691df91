/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of three instances seal and open while the keys rotate under them: no nonce comes twice,
 * every ticket opens everywhere, and no bound on seals is passed. */
#include "support/asserts.h"
#include "support/threads.h"
#include "support/ticket_fixture.h"

#include <stdlib.h>
#include <string.h>

enum {
    THREADS = 6,
    SEALS = 4000,
    ROTATE_EVERY = 500,
    NONCE_AT = 22,
    NONCE_BYTES = 24,
    RECORD_BYTES = JTG_TICKET_NAME_BYTES + NONCE_BYTES
};

struct crowd {
    struct ticket_fixture *fixture;
    unsigned char (*records)[RECORD_BYTES]; /* THREADS * SEALS */
    atomic_uint refused;
    atomic_uint not_opened;
    atomic_uint sealed;
};

static void seal_one(struct crowd *crowd, jtg_ticket_keys *keys, jtg_ticket_keys *other,
                     unsigned char *record)
{
    unsigned char ticket[128];
    unsigned char opened[128];
    size_t ticket_len = sizeof ticket;
    size_t opened_len = sizeof opened;
    if (!jtg_ticket_seal_bytes(keys, "bytes", 5, 3600, ticket, &ticket_len, NULL, NULL)) {
        atomic_fetch_add(&crowd->refused, 1);
        return;
    }
    memcpy(record, ticket, JTG_TICKET_NAME_BYTES);
    memcpy(record + JTG_TICKET_NAME_BYTES, ticket + NONCE_AT, NONCE_BYTES);
    if (!jtg_ticket_open_bytes(other, ticket, ticket_len, opened, &opened_len, NULL, NULL, NULL) ||
        opened_len != 5)
        atomic_fetch_add(&crowd->not_opened, 1);
}

/* The first thread also lets time pass, a lead at a time. */
static void seal_and_open(void *context, unsigned index)
{
    struct crowd *crowd = context;
    jtg_ticket_keys *keys = crowd->fixture->instances[index % TICKET_INSTANCES];
    jtg_ticket_keys *other = crowd->fixture->instances[(index + 1) % TICKET_INSTANCES];
    for (unsigned i = 0; i < SEALS; i++) {
        seal_one(crowd, keys, other, crowd->records[index * SEALS + i]);
        if (index != 0 || i % ROTATE_EVERY != ROTATE_EVERY - 1)
            continue;
        for (unsigned n = 0; n < TICKET_INSTANCES; n++)
            (void)!jtg_ticket_keys_rotate(crowd->fixture->instances[n], NULL);
        for (int step = 0; step < 4; step++) {
            test_clock_advance(&crowd->fixture->clock, TICKET_LEAD_MS / 4);
            for (unsigned n = 0; n < TICKET_INSTANCES; n++)
                (void)!jtg_ticket_keys_refresh(crowd->fixture->instances[n], NULL);
        }
    }
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, RECORD_BYTES);
}

static void no_nonce_comes_twice_and_every_ticket_opens(void **state)
{
    struct ticket_fixture *fixture = *state;
    struct crowd crowd = {.fixture = fixture};
    const size_t count = (size_t)THREADS * SEALS;
    unsigned names = 1;
    crowd.records = calloc(count, RECORD_BYTES);
    assert_non_null(crowd.records);
    for (unsigned n = 0; n < TICKET_INSTANCES; n++)
        ticket_fixture_open(fixture, n);
    test_clock_advance(&fixture->clock, TICKET_LEAD_MS);
    threads_run(THREADS, seal_and_open, &crowd);
    assert_int_equal(atomic_load(&crowd.refused), 0);
    assert_int_equal(atomic_load(&crowd.not_opened), 0);
    qsort(crowd.records, count, RECORD_BYTES, compare);
    for (size_t i = 1; i < count; i++) {
        assert_memory_not_equal(crowd.records[i - 1], crowd.records[i], RECORD_BYTES);
        names += memcmp(crowd.records[i - 1], crowd.records[i], JTG_TICKET_NAME_BYTES) != 0;
    }
    assert_true(names >= SEALS / ROTATE_EVERY); /* it did rotate */
    free(crowd.records);
}

static void seal_until_refused(void *context, unsigned index)
{
    struct crowd *crowd = context;
    (void)index;
    for (int i = 0; i < 1000; i++) {
        jtg_ticket_cbc_key key;
        if (jtg_ticket_cbc_seal_key(crowd->fixture->instances[0], &key, NULL, NULL))
            atomic_fetch_add(&crowd->sealed, 1);
        else
            atomic_fetch_add(&crowd->refused, 1);
    }
}

static void the_bound_holds_under_a_race(void **state)
{
    struct ticket_fixture *fixture = *state;
    struct crowd crowd = {.fixture = fixture};
    fixture->options.max_seals = 2500;
    ticket_fixture_ready(fixture, 0);
    threads_run(THREADS, seal_until_refused, &crowd);
    assert_int_equal(atomic_load(&crowd.sealed), 2500);
    assert_int_equal(atomic_load(&crowd.refused), THREADS * 1000 - 2500);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ticket_fixture_set_up, ticket_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(no_nonce_comes_twice_and_every_ticket_opens),
        CASE(the_bound_holds_under_a_race),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
