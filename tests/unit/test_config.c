/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/options/config.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <string.h>

static jtg_status read_options(const jtg_redis_options *options)
{
    struct jtgi_redis_config config;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtgi_redis_config_read(&config, options, &err);
    assert_int_equal(err.text[0] == '\0', status == JTG_OK);
    assert_null(strstr(err.text, "s3cret"));
    if (status == JTG_OK)
        jtgi_redis_config_clear(&config);
    return status;
}

static void the_macro_and_the_function_agree(void **state)
{
    const jtg_redis_options by_macro = JTG_REDIS_OPTIONS_INIT;
    jtg_redis_options by_function;
    (void)state;
    memset(&by_function, 0, sizeof by_function);
    jtg_redis_options_init(&by_function);
    assert_int_equal(by_function.struct_size, by_macro.struct_size);
    assert_int_equal(by_function.port, by_macro.port);
    assert_int_equal(by_function.timeout_ms, by_macro.timeout_ms);
    assert_int_equal(by_function.connect_timeout_ms, by_macro.connect_timeout_ms);
    assert_int_equal(by_function.walk_timeout_ms, by_macro.walk_timeout_ms);
    assert_int_equal(by_function.connections, by_macro.connections);
    assert_int_equal(by_function.keepalive_s, by_macro.keepalive_s);
    assert_int_equal(by_function.max_age_s, JTG_REDIS_MAX_AGE_S_DEFAULT);
    assert_int_equal(by_macro.max_age_s, JTG_REDIS_MAX_AGE_S_DEFAULT);
    assert_null(by_function.logger);
    assert_null(by_function.host);
}

static void nothing_given_is_all_defaults(void **state)
{
    struct jtgi_redis_config config;
    (void)state;
    assert_status(jtgi_redis_config_read(&config, NULL, NULL), JTG_OK);
    assert_string_equal(config.options.host, JTG_REDIS_HOST_DEFAULT);
    assert_string_equal(config.options.prefix, "");
    assert_int_equal(config.options.connect_timeout_ms, JTG_REDIS_TIMEOUT_MS_DEFAULT);
    assert_int_equal(config.prefix_len, 0);
    assert_int_equal(config.topology, JTGI_TOPOLOGY_SINGLE);
    assert_int_equal(config.slots, 1);
    assert_true(jtgi_config_watches(&config));
    jtgi_redis_config_clear(&config);
}

#define WITH(...)                                                                                  \
    do {                                                                                           \
        jtg_redis_options o = JTG_REDIS_OPTIONS_INIT;                                              \
        __VA_ARGS__;                                                                               \
        assert_status(read_options(&o), JTG_ERR_ARGUMENT);                                         \
    } while (0)

static void what_is_out_of_range_is_refused(void **state)
{
    static char long_text[JTG_REDIS_TEXT_MAX_BYTES + 2];
    static char long_password[JTG_REDIS_PASSWORD_MAX_BYTES + 2];
    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    memset(long_password, 'x', sizeof long_password - 1);
    WITH(o.struct_size = 0);
    WITH(o.port = 0);
    WITH(o.port = 65536);
    WITH(o.database = JTG_REDIS_DATABASE_LIMIT + 1);
    WITH(o.timeout_ms = 0);
    WITH(o.timeout_ms = JTG_REDIS_TIMEOUT_MS_LIMIT + 1);
    WITH(o.connect_timeout_ms = JTG_REDIS_TIMEOUT_MS_LIMIT + 1);
    WITH(o.walk_timeout_ms = 0);
    WITH(o.walk_timeout_ms = JTG_REDIS_WALK_TIMEOUT_MS_LIMIT + 1);
    WITH(o.connections = 0);
    WITH(o.connections = JTG_REDIS_CONNECTIONS_LIMIT + 1);
    WITH(o.keepalive_s = JTG_REDIS_KEEPALIVE_S_LIMIT + 1);
    WITH(o.max_age_s = JTG_REDIS_MAX_AGE_S_LIMIT + 1);
    WITH(o.allow_eviction = 2);
    WITH(o.tls = 2);
    WITH(o.host = long_text);
    WITH(o.host = "two words");
    WITH(o.sentinel_tls = 2);
    WITH(o.replicas = JTG_REDIS_REPLICAS_LIMIT + 1);
    WITH(o.replicas = 1; o.replicas_timeout_ms = o.timeout_ms + 1);
    WITH(o.fsync = 2);
    WITH(o.continuity = 2);
    WITH(o.max_entries_per_group = JTG_REDIS_ENTRIES_PER_GROUP_LIMIT + 1);
    WITH(o.max_entries_per_group = UINT64_MAX);
    WITH(o.user = long_text; o.password = "s3cret");
    WITH(o.password = long_password);
    WITH(o.sentinels = "s"; o.sentinel_primary = "m"; o.sentinel_password = long_password);
    WITH(o.prefix = long_text + JTG_REDIS_TEXT_MAX_BYTES - JTG_REDIS_PREFIX_MAX_BYTES);
    WITH(o.client_name = "two words");
}

/* Above all an empty server name, by which TLS would verify none. */
static void an_empty_text_is_refused(void **state)
{
    (void)state;
    WITH(o.tls = 1; o.tls_server_name = "");
    WITH(o.tls = 1; o.tls_ca_file = "");
    WITH(o.tls = 1; o.tls_cert_file = ""; o.tls_key_file = "");
    WITH(o.host = "");
    WITH(o.unix_path = "");
    WITH(o.password = "");
    WITH(o.user = ""; o.password = "s3cret");
    WITH(o.password_file = "");
    WITH(o.client_name = "");
}

static void what_does_not_go_together_is_refused(void **state)
{
    (void)state;
    WITH(o.host = "h"; o.unix_path = "/s");
    WITH(o.password = "s3cret"; o.password_file = "/f");
    WITH(o.user = "u");
    WITH(o.tls = 1; o.tls_cert_file = "/c");
    WITH(o.tls = 1; o.tls_key_file = "/k");
    WITH(o.tls_ca_file = "/ca");
    WITH(o.tls_server_name = "n");
    WITH(o.tls = 1; o.unix_path = "/s");
    WITH(o.host = "h"; o.sentinels = "s"; o.sentinel_primary = "m");
    WITH(o.host = "h"; o.cluster_nodes = "a");
    WITH(o.unix_path = "/s"; o.cluster_nodes = "a");
    WITH(o.cluster_nodes = "a"; o.sentinels = "s"; o.sentinel_primary = "m");
    WITH(o.sentinels = "s");
    WITH(o.sentinel_primary = "m");
    WITH(o.sentinels = "s"; o.sentinel_primary = "m"; o.port = 7000);
    WITH(o.cluster_nodes = "a"; o.port = 7000);
    WITH(o.sentinel_user = "u"; o.sentinel_password = "s3cret");
    WITH(o.sentinel_password_file = "/f");
    WITH(o.sentinel_tls = 1);
    WITH(o.sentinels = "s"; o.sentinel_primary = "m"; o.sentinel_user = "u");
    WITH(o.sentinels = "s"; o.sentinel_primary = "m"; o.sentinel_password = "s3cret";
         o.sentinel_password_file = "/f");
    WITH(o.sentinels = "s"; o.sentinel_primary = "m"; o.sentinel_tls = 1; o.tls_server_name = "n");
    WITH(o.replicas_timeout_ms = 100);
}

static void a_list_is_read_before_it_is_used(void **state)
{
    static const char many[] = "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a";
    (void)state;
    WITH(o.address_map = "a=b,a=c");
    WITH(o.address_map = "a");
    WITH(o.cluster_nodes = "a,");
    WITH(o.cluster_nodes = "a:0");
    WITH(o.cluster_nodes = many);
    WITH(o.sentinels = "::1"; o.sentinel_primary = "m");
    WITH(o.sentinels = many; o.sentinel_primary = "m");
    WITH(o.sentinels = "s"; o.sentinel_primary = "two words");
    WITH(o.sentinels = "s"; o.sentinel_primary = "");
}

static void what_stands_for_the_host_needs_none(void **state)
{
    struct jtgi_redis_config config;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.cluster_nodes = "a,b:7000";
    options.tls = 1;
    options.replicas = 1;
    assert_status(jtgi_redis_config_read(&config, &options, NULL), JTG_OK);
    assert_null(config.options.host);
    assert_null(config.options.tls_server_name); /* that of each node */
    assert_int_equal(config.options.replicas_timeout_ms, JTG_REDIS_TIMEOUT_MS_DEFAULT / 2);
    jtgi_redis_config_clear(&config);
}

/* A caller that was built before the members of today. */
static void a_shorter_struct_keeps_the_defaults(void **state)
{
    struct jtgi_redis_config config;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.struct_size = offsetof(jtg_redis_options, sentinels);
    options.continuity = 0; /* beyond its end */
    assert_status(jtgi_redis_config_read(&config, &options, NULL), JTG_OK);
    assert_int_equal(config.options.continuity, 1);
    jtgi_redis_config_clear(&config);
}

/* As tokens that stand for passwords are. */
static void a_password_may_be_long(void **state)
{
    static char password[JTG_REDIS_PASSWORD_MAX_BYTES + 1];
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    memset(password, 'x', sizeof password - 1);
    options.password = password;
    options.sentinels = "s";
    options.sentinel_primary = "m";
    options.sentinel_password = password;
    assert_status(read_options(&options), JTG_OK);
}

static void the_name_to_verify_is_the_host(void **state)
{
    struct jtgi_redis_config config;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.tls = 1;
    options.host = "redis.example";
    assert_status(jtgi_redis_config_read(&config, &options, NULL), JTG_OK);
    assert_string_equal(config.options.tls_server_name, "redis.example");
    jtgi_redis_config_clear(&config);
}

static void out_of_memory_leaves_nothing(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.user = "u";
    options.password = "p";
    options.tls = 1;
    jtg_status status = JTG_ERR_MEMORY;
    for (unsigned nth = 1; status == JTG_ERR_MEMORY; nth++) {
        alloc_walk_fail_nth(nth);
        status = read_options(&options);
        if (!alloc_walk_end())
            break;
        assert_status(status, JTG_ERR_MEMORY);
    }
    assert_status(status, JTG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_macro_and_the_function_agree),
        cmocka_unit_test(nothing_given_is_all_defaults),
        cmocka_unit_test(what_is_out_of_range_is_refused),
        cmocka_unit_test(an_empty_text_is_refused),
        cmocka_unit_test(what_does_not_go_together_is_refused),
        cmocka_unit_test(a_list_is_read_before_it_is_used),
        cmocka_unit_test(what_stands_for_the_host_needs_none),
        cmocka_unit_test(a_shorter_struct_keeps_the_defaults),
        cmocka_unit_test(a_password_may_be_long),
        cmocka_unit_test(the_name_to_verify_is_the_host),
        cmocka_unit_test(out_of_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
