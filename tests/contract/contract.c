/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the list of a backend from the tables of all files, and runs it. */
#include "contract/contract.h"

#include "contract/contract_case.h"

#include <stdlib.h>

static const struct contract_case *const tables[] = {
    contract_reservations, contract_keys,      contract_values,   contract_swaps,   contract_bounds,
    contract_whole,        contract_arguments, contract_counters, contract_races,   contract_holes,
    contract_continuity,   contract_lending,   contract_many,     contract_bitmaps,
};

enum { TABLES = sizeof tables / sizeof tables[0] };

static const struct contract_backend *running;

/* cmocka hands initial_state to the setup, and what that puts there to the test. */
static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    f->backend = running;
    f->row = *state;
    f->cache = running->open(&f->row->limits, &f->store);
    *state = f;
    return f->cache == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    jtg_cache_free(f->cache);
    f->backend->close(f->store);
    free(f);
    return 0;
}

static size_t count_cases(void)
{
    size_t number = 0;
    for (size_t i = 0; i < TABLES; i++)
        for (const struct contract_case *row = tables[i]; row->name != NULL; row++)
            number++;
    return number;
}

/* The address of a row as cmocka wants it: it only passes the pointer on. */
static void *as_state(const struct contract_case *row)
{
    union {
        const struct contract_case *row;
        void *state;
    } same = {row};
    return same.state;
}

static size_t list_cases(const struct contract_backend *backend, struct CMUnitTest *tests)
{
    size_t number = 0;
    for (size_t i = 0; i < TABLES; i++)
        for (const struct contract_case *row = tables[i]; row->name != NULL; row++) {
            if ((row->needs & ~backend->offers) != 0) {
                print_message("not offered by %s: %s\n", backend->name, row->name);
                continue;
            }
            struct CMUnitTest test = {row->name, row->run, set_up, tear_down, as_state(row)};
            tests[number++] = test;
        }
    return number;
}

int contract_run(const struct contract_backend *backend)
{
    struct CMUnitTest *tests = calloc(count_cases(), sizeof *tests);
    if (tests == NULL)
        return 1;
    running = backend;
    cmocka_set_test_filter(getenv("JTIGUARD_TEST_FILTER"));
    size_t number = list_cases(backend, tests);
    int failed = _cmocka_run_group_tests(backend->name, tests, number, NULL, NULL);
    free(tests);
    return failed;
}
