/* SPDX-License-Identifier: Apache-2.0 */
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <jtiguard/redis.h>
#include <stdio.h>
#include <string.h>

static jtg_redis_uri *parse(const char *text)
{
    jtg_redis_uri *uri = NULL;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_redis_uri_parse(&uri, text, &err), JTG_OK);
    assert_non_null(uri);
    return uri;
}

static void refused_as(const char *text, jtg_status status)
{
    jtg_redis_uri *uri = NULL;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_redis_uri_parse(&uri, text, &err), status);
    assert_null(uri);
    assert_true(err.text[0] != '\0');
    assert_null(strstr(err.text, "s3cret"));
}

static void the_shortest_has_the_defaults(void **state)
{
    jtg_redis_uri *uri = parse("redis://cache.example");
    const jtg_redis_options *o = jtg_redis_uri_options(uri);
    (void)state;
    assert_string_equal(o->host, "cache.example");
    assert_int_equal(o->struct_size, sizeof *o);
    assert_int_equal(o->port, JTG_REDIS_PORT_DEFAULT);
    assert_int_equal(o->database, 0);
    assert_int_equal(o->timeout_ms, JTG_REDIS_TIMEOUT_MS_DEFAULT);
    assert_int_equal(o->connections, JTG_REDIS_CONNECTIONS_DEFAULT);
    assert_int_equal(o->tls, 0);
    assert_int_equal(o->allow_eviction, 0);
    assert_null(o->user);
    assert_null(o->password);
    assert_null(o->prefix);
    assert_int_equal(jtg_redis_uri_keys(uri), JTG_REDIS_KEYS_UNSET);
    jtg_redis_uri_free(uri);
}

static void every_part_is_read(void **state)
{
    jtg_redis_uri *uri =
        parse("rediss://us%65r:p%40ss%3Aword@[2001:db8::1]:6380/7?timeout=300ms&connect_timeout=2s"
              "&prefix=sts%3Ajti:&keys=plain&connections=4&ca=/ca.pem&cert=/c.pem&key=/k.pem"
              "&server_name=redis.example&client_name=gw-1&allow_eviction=yes");
    const jtg_redis_options *o = jtg_redis_uri_options(uri);
    (void)state;
    assert_int_equal(o->tls, 1);
    assert_string_equal(o->user, "user");
    assert_string_equal(o->password, "p@ss:word");
    assert_string_equal(o->host, "2001:db8::1");
    assert_int_equal(o->port, 6380);
    assert_int_equal(o->database, 7);
    assert_int_equal(o->timeout_ms, 300);
    assert_int_equal(o->connect_timeout_ms, 2000);
    assert_string_equal(o->prefix, "sts:jti:");
    assert_int_equal(jtg_redis_uri_keys(uri), JTG_REDIS_KEYS_PLAIN);
    assert_int_equal(o->connections, 4);
    assert_string_equal(o->tls_ca_file, "/ca.pem");
    assert_string_equal(o->tls_cert_file, "/c.pem");
    assert_string_equal(o->tls_key_file, "/k.pem");
    assert_string_equal(o->tls_server_name, "redis.example");
    assert_string_equal(o->client_name, "gw-1");
    assert_int_equal(o->allow_eviction, 1);
    jtg_redis_uri_free(uri);
}

static void a_socket_is_a_path(void **state)
{
    jtg_redis_uri *uri =
        parse("unix://u:p@/run/re%20dis/a@b.sock?db=3&password_file=/x&keys=digest");
    const jtg_redis_options *o = jtg_redis_uri_options(uri);
    (void)state;
    assert_string_equal(o->unix_path, "/run/re dis/a@b.sock");
    assert_null(o->host);
    assert_string_equal(o->user, "u");
    assert_string_equal(o->password, "p");
    assert_string_equal(o->password_file, "/x");
    assert_int_equal(o->database, 3);
    assert_int_equal(jtg_redis_uri_keys(uri), JTG_REDIS_KEYS_DIGEST);
    jtg_redis_uri_free(uri);
}

static void a_login_may_lack_one_half(void **state)
{
    jtg_redis_uri *uri = parse("redis://:only@h");
    (void)state;
    assert_null(jtg_redis_uri_options(uri)->user);
    assert_string_equal(jtg_redis_uri_options(uri)->password, "only");
    jtg_redis_uri_free(uri);
    uri = parse("redis://user@h/?password_file=/p");
    assert_string_equal(jtg_redis_uri_options(uri)->user, "user");
    assert_null(jtg_redis_uri_options(uri)->password);
    jtg_redis_uri_free(uri);
}

static void what_is_not_understood_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "redis",
        "redis:/h",
        "http://h",
        "REDIS://h",
        "redis://",
        "redis://:6379",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:",
        "redis://h:63x",
        "redis://h:4294967297",
        "redis://[::1",
        "redis://[::1]6379",
        "redis://h/16x",
        "redis://h/65536",
        "redis://h/0/1",
        "redis://h#f",
        "redis://:@h",
        "redis://u:@h",
        "redis://%zz@h",
        "redis://h%0",
        "redis://h%00",
        "redis://s3cret%@h",
        "redis://u:s3cret@h?timeout=s3cret",
        "redis://h?s3cret=1",
        "redis://h?",
        "redis://h?&",
        "redis://h?timeout",
        "redis://h?timeout=",
        "redis://h?timeout=300",
        "redis://h?timeout=0ms",
        "redis://h?timeout=-1s",
        "redis://h?timeout=1m",
        "redis://h?timeout=61s",
        "redis://h?timeout=60001ms",
        "redis://h?timeout=1.5s",
        "redis://h?timeout=1s&timeout=1s",
        "redis://h?Timeout=1s",
        "redis://h?timeuot=1s",
        "redis://h?keys=hash",
        "redis://h?keys=Plain",
        "redis://h?connections=17",
        "redis://h?connections=1x",
        "redis://h?allow_eviction=1",
        "redis://h?allow_eviction=true",
        "redis://h?db=65536",
        "redis://h/1?db=1",
        "redis://h/1?db=2",
        "unix://",
        "unix://relative/path",
        "unix:///",
        "unix://u:p@rel",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refused_as(wrong[i], JTG_ERR_ARGUMENT);
    refused_as(NULL, JTG_ERR_ARGUMENT);
}

static void sentinels_name_the_primary(void **state)
{
    jtg_redis_uri *uri =
        parse("rediss+sentinel://u:p%40@s1,s2:26380,[::1]:26381/m%61in/3?sentinel_user=w"
              "&sentinel_password_file=/s&replicas=2&replicas_timeout=100ms&fsync=yes"
              "&issuer_share=1000000000");
    const jtg_redis_options *o = jtg_redis_uri_options(uri);
    (void)state;
    assert_string_equal(o->sentinels, "s1,s2:26380,[::1]:26381");
    assert_string_equal(o->sentinel_primary, "main");
    assert_null(o->host);
    assert_int_equal(o->port, JTG_REDIS_PORT_DEFAULT);
    assert_int_equal(o->database, 3);
    assert_string_equal(o->user, "u");
    assert_string_equal(o->password, "p@");
    assert_string_equal(o->sentinel_user, "w");
    assert_string_equal(o->sentinel_password_file, "/s");
    assert_null(o->sentinel_password);
    assert_int_equal(o->tls, 1);
    assert_int_equal(o->sentinel_tls, 1);
    assert_int_equal(o->replicas, 2);
    assert_int_equal(o->replicas_timeout_ms, 100);
    assert_int_equal(o->fsync, 1);
    assert_int_equal(o->max_entries_per_group, 1000000000);
    assert_int_equal(o->continuity, 1);
    jtg_redis_uri_free(uri);
    uri = parse("rediss+sentinel://s1/main?sentinel_tls=no&continuity=no");
    assert_int_equal(jtg_redis_uri_options(uri)->tls, 1);
    assert_int_equal(jtg_redis_uri_options(uri)->sentinel_tls, 0);
    assert_int_equal(jtg_redis_uri_options(uri)->continuity, 0);
    jtg_redis_uri_free(uri);
    uri = parse("redis+sentinel://s1/main");
    assert_int_equal(jtg_redis_uri_options(uri)->sentinel_tls, 0);
    jtg_redis_uri_free(uri);
}

static void a_cluster_is_known_by_some_of_its_nodes(void **state)
{
    jtg_redis_uri *uri = parse("redis+cluster://:p@a:7000,b,[2001:db8::1]:7001/?prefix=x");
    const jtg_redis_options *o = jtg_redis_uri_options(uri);
    (void)state;
    assert_string_equal(o->cluster_nodes, "a:7000,b,[2001:db8::1]:7001");
    assert_string_equal(o->password, "p");
    assert_null(o->host);
    assert_int_equal(o->tls, 0);
    jtg_redis_uri_free(uri);
    uri = parse("rediss+cluster://a/0");
    assert_int_equal(jtg_redis_uri_options(uri)->tls, 1);
    jtg_redis_uri_free(uri);
}

/* Valkey 9 has them; who has not says so when it is connected to. */
static void a_cluster_may_have_databases(void **state)
{
    jtg_redis_uri *uri = parse("valkey+cluster://a,b/5");
    (void)state;
    assert_string_equal(jtg_redis_uri_options(uri)->cluster_nodes, "a,b");
    assert_int_equal(jtg_redis_uri_options(uri)->database, 5);
    jtg_redis_uri_free(uri);
}

static void one_scheme_has_several_spellings(void **state)
{
    static const struct {
        const char *scheme;
        uint32_t tls;
    } bases[] = {{"redis", 0}, {"rediss", 1}, {"valkey", 0}, {"valkeys", 1}};
    char text[64];
    (void)state;
    for (size_t i = 0; i < 3 * sizeof bases / sizeof bases[0]; i++) {
        static const char marks[] = "+-";
        const char *base = bases[i / 3].scheme;
        uint32_t tls = bases[i / 3].tls;
        if (i % 3 == 2) {
            (void)snprintf(text, sizeof text, "%s://h:1", base);
            jtg_redis_uri *uri = parse(text);
            assert_string_equal(jtg_redis_uri_options(uri)->host, "h");
            assert_int_equal(jtg_redis_uri_options(uri)->tls, tls);
            jtg_redis_uri_free(uri);
            continue;
        }
        (void)snprintf(text, sizeof text, "%s%csentinel://s/m", base, marks[i % 3]);
        jtg_redis_uri *uri = parse(text);
        assert_string_equal(jtg_redis_uri_options(uri)->sentinels, "s");
        assert_int_equal(jtg_redis_uri_options(uri)->tls, tls);
        assert_int_equal(jtg_redis_uri_options(uri)->sentinel_tls, tls);
        jtg_redis_uri_free(uri);
        (void)snprintf(text, sizeof text, "%s%ccluster://a", base, marks[i % 3]);
        uri = parse(text);
        assert_string_equal(jtg_redis_uri_options(uri)->cluster_nodes, "a");
        assert_int_equal(jtg_redis_uri_options(uri)->tls, tls);
        jtg_redis_uri_free(uri);
    }
}

static void a_map_of_addresses_stands_as_it_is(void **state)
{
    jtg_redis_uri *uri =
        parse("redis+cluster://a?address_map=10.0.0.1:7000=[::1]:7,b=c&keepalive=1s");
    (void)state;
    assert_string_equal(jtg_redis_uri_options(uri)->address_map, "10.0.0.1:7000=[::1]:7,b=c");
    assert_int_equal(jtg_redis_uri_options(uri)->keepalive_s, 1);
    jtg_redis_uri_free(uri);
}

static void ages_are_in_seconds(void **state)
{
    jtg_redis_uri *uri = parse("redis://h?keepalive=120s");
    (void)state;
    assert_int_equal(jtg_redis_uri_options(uri)->keepalive_s, 120);
    jtg_redis_uri_free(uri);
    uri = parse("redis://h?keepalive=0s");
    assert_int_equal(jtg_redis_uri_options(uri)->keepalive_s, 0);
    jtg_redis_uri_free(uri);
    uri = parse("redis://h?max_age=60s");
    assert_int_equal(jtg_redis_uri_options(uri)->max_age_s, 60);
    jtg_redis_uri_free(uri);
    refused_as("redis://h?max_age=86401s", JTG_ERR_ARGUMENT);
    refused_as("redis://h?keepalive=30", JTG_ERR_ARGUMENT);
    refused_as("redis://h?keepalive=300ms", JTG_ERR_ARGUMENT);
    refused_as("redis://h?keepalive=s", JTG_ERR_ARGUMENT);
    refused_as("redis://h?keepalive=7201s", JTG_ERR_ARGUMENT);
}

static void a_list_is_read_strictly(void **state)
{
    static const char *const wrong[] = {
        "redis+sentinel://",
        "redis+sentinel://s1",
        "redis+sentinel://s1/",
        "redis+sentinel:///main",
        "redis+sentinel://s1,/main",
        "redis+sentinel://s1,,s2/main",
        "redis+sentinel://s1:0/main",
        "redis+sentinel://s1:x/main",
        "redis+sentinel://[::1/main",
        "redis+sentinel://::1/main",
        "redis+sentinel://s1/main/x",
        "redis+sentinel://s1/main/0/1",
        "redis+sentinel://s1/main/1?db=1",
        "redis+sentinel://s1/ma%zzin",
        "redis+sentinel://s1/main?fsync=1",
        "redis+sentinel://s1/main?replicas=33",
        "redis+sentinel://s1/main?issuer_share=1000000001",
        "redis+sentinel://s1/main?issuer_share=-1",
        "redis+sentinel://s1/main?issuer_share=1k",
        "redis+sentinel://s1/main?replicas_timeout=100",
        "redis+sentinel://s1/main?sentinel_tls=maybe",
        "redis+sentinel://s1/main?sentinel_password=s3cret",
        "redis+cluster://",
        "redis+cluster://a,b:65536",
        "redis+cluster://a/65536",
        "redis+cluster://a/x",
        "redis+cluster://a b",
        "redis+sentinels://s1/main",
        "redis-sentinel-cluster://s1/main",
        "redis+://h",
        "redis-://h",
        "+cluster://a",
        "valkeyss://h",
        "valkey+s://h",
        "unix+cluster:///s",
        "unix-sentinel://s1/main",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refused_as(wrong[i], JTG_ERR_ARGUMENT);
}

static void out_of_memory_leaves_nothing(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth <= 2; nth++) {
        jtg_redis_uri *uri = NULL;
        alloc_walk_fail_nth(nth);
        assert_status(jtg_redis_uri_parse(&uri, "redis://h", NULL), JTG_ERR_MEMORY);
        assert_true(alloc_walk_end());
        assert_null(uri);
    }
}

static void a_cache_is_made_from_a_uri(void **state)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtg_redis_new_uri(&cache, "redis://u:p@127.0.0.1:1/0?prefix=p:", &err), JTG_OK);
    assert_string_equal(jtg_cache_backend(cache), "redis");
    jtg_cache_free(cache);
    assert_status(jtg_redis_new_uri(&cache, "redis://h?connections=0", &err), JTG_ERR_ARGUMENT);
    assert_null(cache);
}

/* TLS is offered or refused, never left out. */
static void tls_is_never_left_out(void **state)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtg_redis_new_uri(&cache, "rediss://127.0.0.1:1", &err);
    (void)state;
    if (jtg_redis_has_tls() != 0) {
        assert_status(status, JTG_OK);
        jtg_cache_free(cache);
        return;
    }
    assert_status(status, JTG_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "libhiredis"));
    assert_null(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shortest_has_the_defaults),
        cmocka_unit_test(every_part_is_read),
        cmocka_unit_test(a_socket_is_a_path),
        cmocka_unit_test(a_login_may_lack_one_half),
        cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test(sentinels_name_the_primary),
        cmocka_unit_test(a_cluster_is_known_by_some_of_its_nodes),
        cmocka_unit_test(a_cluster_may_have_databases),
        cmocka_unit_test(one_scheme_has_several_spellings),
        cmocka_unit_test(a_map_of_addresses_stands_as_it_is),
        cmocka_unit_test(ages_are_in_seconds),
        cmocka_unit_test(a_list_is_read_strictly),
        cmocka_unit_test(out_of_memory_leaves_nothing),
        cmocka_unit_test(a_cache_is_made_from_a_uri),
        cmocka_unit_test(tls_is_never_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
