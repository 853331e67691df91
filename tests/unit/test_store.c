/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a Redis cache, whose cache is one, and its end. Nothing connects. */
#include "redis/ask/store.h"

#include "support/asserts.h"

#include <jtiguard/memory.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static jtg_cache *cache;

static int open_cache(void **state)
{
    (void)state;
    assert_status(jtg_redis_new(&cache, NULL, NULL), JTG_OK);
    return 0;
}

static int close_cache(void **state)
{
    (void)state;
    jtg_cache_free(cache);
    return 0;
}

/* What the options do not ask for is not offered, rather than answered as if it were. */
static void without_continuity_it_is_not_offered(void **state)
{
    const jtg_backend *watching = jtgi_redis_backend(true);
    const jtg_backend *unwatching = jtgi_redis_backend(false);
    (void)state;
    assert_string_equal(watching->name, "redis");
    assert_string_equal(unwatching->name, "redis");
    assert_ptr_equal(watching->reserve_kept, jtgi_redis_reserve_kept);
    assert_ptr_equal(watching->kept_since, jtgi_redis_kept_since);
    assert_null(unwatching->reserve_kept);
    assert_null(unwatching->kept_since);
    assert_ptr_equal(unwatching->reserve, watching->reserve);
    assert_ptr_equal(unwatching->swap, jtgi_redis_swap);
    assert_int_equal(unwatching->struct_size, sizeof *unwatching);
}

static void another_backend_is_none_of_ours(void **state)
{
    jtg_cache *memory = NULL;
    jtg_status status = JTG_OK;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtg_memory_new(&memory, NULL, NULL), JTG_OK);
    assert_null(jtgi_redis_of(memory, &status, &err));
    assert_status(status, JTG_ERR_ARGUMENT);
    assert_null(jtgi_redis_of(NULL, &status, NULL));
    assert_status(status, JTG_ERR_ARGUMENT);
    assert_ptr_equal(jtgi_redis_of(cache, &status, NULL), cache);
    assert_status(status, JTG_OK);
    jtg_cache_free(memory);
}

/* The child counts, for it must not assert: the status, and that its end frees what it has. */
static void a_child_is_refused(void **state)
{
    int ended = 0;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        jtg_status status = JTG_OK;
        jtg_redis_stats stats = {.struct_size = sizeof stats};
        bool refused = jtgi_redis_of(cache, &status, NULL) == NULL && status == JTG_ERR_FORKED &&
                       jtg_redis_stats_get(cache, &stats, NULL) == JTG_ERR_FORKED;
        jtg_cache_free(cache);
        _exit(refused ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cache, close_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_continuity_it_is_not_offered),
        TEST(another_backend_is_none_of_ours),
        TEST(a_child_is_refused),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
