/* SPDX-License-Identifier: Apache-2.0 */
/* What a build without hiredis answers: linked before the library, these functions take the place
 * of its own. No program gets another store than the one that it asked for. */
#include "support/asserts.h"

#include <jtiguard/redis.h>
#include <string.h>

#define SAYS_SO(call)                                                                              \
    do {                                                                                           \
        jtg_error err = JTG_ERROR_INIT;                                                            \
        assert_status(call, JTG_ERR_UNSUPPORTED);                                                  \
        assert_err_tells(&err, JTG_ERR_UNSUPPORTED);                                               \
        assert_non_null(strstr(err.text, "no Redis backend"));                                     \
    } while (0)

static void every_call_says_that_there_is_none(void **state)
{
    jtg_cache *cache = (jtg_cache *)(void *)&cache;
    jtg_redis_uri *uri = (jtg_redis_uri *)(void *)&uri;
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    jtg_redis_server server = {.struct_size = sizeof server};
    (void)state;
    SAYS_SO(jtg_redis_new(&cache, NULL, &err));
    assert_null(cache);
    cache = (jtg_cache *)(void *)&cache;
    SAYS_SO(jtg_redis_new_uri(&cache, "redis://h", &err));
    assert_null(cache);
    SAYS_SO(jtg_redis_new(NULL, NULL, &err));
    SAYS_SO(jtg_redis_uri_parse(&uri, "redis://h", &err));
    assert_null(uri);
    SAYS_SO(jtg_redis_uri_parse(NULL, NULL, &err));
    SAYS_SO(jtg_redis_stats_get(NULL, &stats, &err));
    SAYS_SO(jtg_redis_server_get(NULL, &server, &err));
    SAYS_SO(jtg_redis_vouch(NULL, 0, &err));
    assert_status(jtg_redis_new(&cache, NULL, NULL), JTG_ERR_UNSUPPORTED);
}

static void what_cannot_fail_is_harmless(void **state)
{
    jtg_redis_options options;
    const jtg_redis_options defaults = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    memset(&options, 0xff, sizeof options);
    jtg_redis_options_init(&options);
    assert_int_equal(options.struct_size, sizeof options);
    assert_int_equal(options.port, defaults.port);
    assert_int_equal(options.continuity, defaults.continuity);
    jtg_redis_options_init(NULL);
    jtg_redis_uri_free(NULL);
    assert_null(jtg_redis_uri_options(NULL));
    assert_int_equal(jtg_redis_uri_keys(NULL), JTG_REDIS_KEYS_UNSET);
    assert_int_equal(jtg_redis_has_tls(), 0);
    assert_string_equal(jtg_redis_loss_name(JTG_REDIS_LOSS_NONE), "none");
    assert_string_equal(jtg_redis_loss_name(JTG_REDIS_LOSS_EVICTED), "unknown");
    assert_string_equal(jtg_redis_acl_commands(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_says_that_there_is_none),
        cmocka_unit_test(what_cannot_fail_is_harmless),
    };
    return cmocka_run_group_tests_name("no Redis", tests, NULL, NULL);
}
