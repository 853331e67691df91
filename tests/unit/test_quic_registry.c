/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "support/quic_contract.h"
#include "support/threads.h"

#include <jtiguard/memory.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOST "server.example"

struct fixture {
    jtg_cache *cache;
    jtg_quic_registry *registry;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    assert_status(jtg_memory_new(&fixture.cache, NULL, NULL), JTG_OK);
    assert_status(jtg_quic_registry_new(&fixture.registry, NULL), JTG_OK);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    jtg_quic_registry_free(fixture->registry);
    jtg_cache_free(fixture->cache);
    return 0;
}

static jtg_quic_tokens *named(struct fixture *fixture, const char *name)
{
    jtg_quic_tokens_options options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    options.name = name;
    return quic_open(fixture->cache, &options);
}

static jtg_quic_tokens *find(struct fixture *fixture, const char *name)
{
    jtg_quic_tokens *tokens = NULL;
    assert_status(jtg_quic_registry_find(fixture->registry, name, &tokens, NULL), JTG_OK);
    return tokens;
}

static void names_are_started_found_and_stopped(void **state)
{
    struct fixture *fixture = *state;
    jtg_quic_tokens *tokens = NULL;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_quic_registry_find(fixture->registry, "web", &tokens, &err), JTG_NOT_FOUND);
    assert_err_tells(&err, JTG_NOT_FOUND);
    assert_status(jtg_quic_registry_start(fixture->registry, named(fixture, "web"), NULL), JTG_OK);
    assert_status(jtg_quic_registry_start(fixture->registry, named(fixture, "dns"), NULL), JTG_OK);
    tokens = find(fixture, "web");
    assert_int_equal(quic_store(tokens, HOST, "one", 0), JTG_QUIC_STORED);
    jtg_quic_tokens_free(tokens);
    tokens = find(fixture, "dns");
    assert_string_equal(quic_lookup(tokens, HOST), "");
    jtg_quic_tokens_free(tokens);
    assert_status(jtg_quic_registry_stop(fixture->registry, "web", NULL), JTG_OK);
    assert_status(jtg_quic_registry_stop(fixture->registry, "web", &err), JTG_NOT_FOUND);
    assert_err_tells(&err, JTG_NOT_FOUND);
    assert_status(jtg_quic_registry_find(fixture->registry, "web", &tokens, NULL), JTG_NOT_FOUND);
    assert_null(tokens);
    /* what is stored is there for the next one of that name */
    assert_status(jtg_quic_registry_start(fixture->registry, named(fixture, "web"), NULL), JTG_OK);
    tokens = find(fixture, "web");
    assert_string_equal(quic_take(tokens, HOST), "one");
    jtg_quic_tokens_free(tokens);
}

static void a_name_is_started_once(void **state)
{
    struct fixture *fixture = *state;
    jtg_error err = JTG_ERROR_INIT;
    jtg_quic_tokens *second = named(fixture, "web");
    assert_status(jtg_quic_registry_start(fixture->registry, named(fixture, "web"), NULL), JTG_OK);
    assert_status(jtg_quic_registry_start(fixture->registry, second, &err), JTG_ERR_REFUSED);
    assert_err_tells(&err, JTG_ERR_REFUSED);
    jtg_quic_tokens_free(second); /* it stayed the caller's */
}

static void a_share_outlives_the_stop(void **state)
{
    struct fixture *fixture = *state;
    assert_status(jtg_quic_registry_start(fixture->registry, named(fixture, "web"), NULL), JTG_OK);
    jtg_quic_tokens *first = find(fixture, "web");
    jtg_quic_tokens *second = find(fixture, "web");
    assert_status(jtg_quic_registry_stop(fixture->registry, "web", NULL), JTG_OK);
    assert_int_equal(quic_store(first, HOST, "one", 0), JTG_QUIC_STORED);
    jtg_quic_tokens_free(first);
    assert_string_equal(quic_take(second, HOST), "one");
    jtg_quic_tokens_free(second);
}

static void bad_arguments_are_told(void **state)
{
    struct fixture *fixture = *state;
    jtg_quic_tokens *tokens = NULL;
    assert_status(jtg_quic_registry_new(NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_registry_start(fixture->registry, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_registry_find(fixture->registry, NULL, &tokens, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_registry_find(fixture->registry, "web", NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_registry_find(NULL, "web", &tokens, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_registry_stop(NULL, "web", NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_registry_stop(fixture->registry, NULL, NULL), JTG_ERR_ARGUMENT);
    jtg_quic_registry_free(NULL);
}

static void a_child_refuses(void **state)
{
    struct fixture *fixture = *state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        jtg_quic_tokens *tokens = NULL;
        jtg_status status = jtg_quic_registry_find(fixture->registry, "web", &tokens, NULL);
        _exit(status == JTG_ERR_FORKED ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

enum { ROUNDS = 50, FINDERS = 3 };

struct race {
    struct fixture *fixture;
    atomic_uint found;
    atomic_uint failures;
    atomic_bool done;
};

/* Each time it is there until somebody has found it. */
static void start_and_stop(struct race *race)
{
    jtg_quic_registry *registry = race->fixture->registry;
    for (int i = 0; i < ROUNDS; i++) {
        jtg_quic_tokens *tokens = NULL;
        unsigned before = atomic_load(&race->found);
        bool good = jtg_quic_tokens_new(&tokens, race->fixture->cache, NULL, NULL) == JTG_OK &&
                    jtg_quic_registry_start(registry, tokens, NULL) == JTG_OK;
        while (good && atomic_load(&race->found) == before)
            sched_yield();
        good = good && jtg_quic_registry_stop(registry, JTG_QUIC_NAME_DEFAULT, NULL) == JTG_OK;
        atomic_fetch_add(&race->failures, !good);
    }
    atomic_store(&race->done, true);
}

static void find_and_use(struct race *race)
{
    jtg_quic_registry *registry = race->fixture->registry;
    jtg_endpoint endpoint = quic_endpoint(HOST);
    while (!atomic_load(&race->done)) {
        jtg_quic_tokens *tokens = NULL;
        jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
        if (jtg_quic_registry_find(registry, JTG_QUIC_NAME_DEFAULT, &tokens, NULL) != JTG_OK)
            continue;
        atomic_fetch_add(&race->found, 1);
        atomic_fetch_add(&race->failures, jtg_quic_tokens_take(tokens, &endpoint, QUIC_V1, &token,
                                                               NULL) != JTG_NOT_FOUND);
        jtg_quic_tokens_free(tokens);
    }
}

static void start_or_find(void *context, unsigned index)
{
    if (index == 0)
        start_and_stop(context);
    else
        find_and_use(context);
}

static void threads_find_while_it_is_stopped(void **state)
{
    struct fixture *fixture = *state;
    struct race race = {fixture, 0, 0, false};
    threads_run(1 + FINDERS, start_or_find, &race);
    assert_in_range(atomic_load(&race.found), ROUNDS, UINT32_MAX);
    assert_int_equal(atomic_load(&race.failures), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(names_are_started_found_and_stopped),
        CASE(a_name_is_started_once),
        CASE(a_share_outlives_the_stop),
        CASE(bad_arguments_are_told),
        CASE(a_child_refuses),
        CASE(threads_find_while_it_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
