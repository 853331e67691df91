/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tls/tls_options.h"

#include "support/asserts.h"
#include "support/tls_cache.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct tls_cache cache;

static int set_up(void **state)
{
    (void)state;
    return tls_cache_set_up(&cache) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)tls_cache_tear_down(&cache);
    return 0;
}

static void the_initialiser_and_the_function_agree(void **state)
{
    (void)state;
    jtg_tls_tickets_options a = JTG_TLS_TICKETS_OPTIONS_INIT;
    jtg_tls_tickets_options b;
    memset(&b, 1, sizeof b);
    jtg_tls_tickets_options_init(&b);
    jtg_tls_tickets_options_init(NULL);
    assert_memory_equal(&a, &b, sizeof a);
    assert_status(jtgi_tls_options_read(&b, NULL, NULL), JTG_OK);
    assert_memory_equal(&a, &b, sizeof a);
    struct jtgi_tls_limits limits = jtgi_tls_options_limits(&a);
    assert_int_equal(limits.max_age_s, 86400);
    assert_int_equal(limits.per_endpoint, 4);
    assert_int_equal(limits.tickets, 512);
    assert_int_equal(limits.consumed, 8192);
    assert_false(limits.sealed_only);
}

static void each_range_is_checked(void **state)
{
    (void)state;
    jtg_tls_tickets_options options;
    jtg_tls_tickets_options read;
    const struct {
        uint32_t *field;
        const char *name;
        uint32_t least;
        uint32_t most;
    } cases[] = {
        {&options.max_age_s, "max_age_s", 1, 604800},
        {&options.max_per_endpoint, "max_per_endpoint", 1, 1024},
        {&options.max_tickets, "max_tickets", 1, 65536},
        {&options.max_consumed, "max_consumed", 1, 65536},
        {&options.lock_wait_ms, "lock_wait_ms", 0, 60000},
        {&options.write_through, "write_through", 0, 1},
        {&options.reserved, "reserved", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        jtg_error err = JTG_ERROR_INIT;
        jtg_tls_tickets_options_init(&options);
        *cases[i].field = cases[i].least;
        assert_status(jtgi_tls_options_read(&read, &options, NULL), JTG_OK);
        *cases[i].field = cases[i].most;
        assert_status(jtgi_tls_options_read(&read, &options, NULL), JTG_OK);
        *cases[i].field = cases[i].most + 1;
        assert_status(jtgi_tls_options_read(&read, &options, &err), JTG_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, cases[i].name));
        if (cases[i].least == 0)
            continue;
        *cases[i].field = 0;
        assert_status(jtgi_tls_options_read(&read, &options, NULL), JTG_ERR_ARGUMENT);
    }
    jtg_tls_tickets_options_init(&options);
    options.hide_hosts = 1;
    assert_status(jtgi_tls_options_read(&read, &options, NULL), JTG_ERR_ARGUMENT);
    options.struct_size = 3;
    assert_status(jtgi_tls_options_read(&read, &options, NULL), JTG_ERR_ARGUMENT);
}

static void a_key_file_is_asked_for_what_it_is(void **state)
{
    (void)state;
    jtg_tls_tickets *tickets = NULL;
    jtg_error err = JTG_ERROR_INIT;
    cache.options.key_file = cache.key_path;
    assert_status(jtg_tls_tickets_open(&tickets, cache.path, &cache.options, &err), JTG_ERR_SYSTEM);
    assert_int_equal(err.system_errno, ENOENT);
    assert_null(tickets);
    assert_true(tls_cache_make_key(&cache));
    assert_int_equal(chmod(cache.key_path, 0644), 0);
    assert_status(jtg_tls_tickets_open(&tickets, cache.path, &cache.options, &err),
                  JTG_ERR_ARGUMENT);
    assert_int_equal(chmod(cache.key_path, 0600), 0);
    assert_status(jtg_tls_tickets_open(&tickets, cache.path, &cache.options, &err), JTG_OK);
    jtg_tls_tickets_free(tickets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_initialiser_and_the_function_agree),
        cmocka_unit_test(each_range_is_checked),
        cmocka_unit_test_setup_teardown(a_key_file_is_asked_for_what_it_is, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("options of tls tickets", tests, NULL, NULL);
}
