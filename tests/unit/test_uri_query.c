/* SPDX-License-Identifier: Apache-2.0 */
/* Each key of a URI's query, and the option that it sets. */
#include "redis/say/options/uri.h"

#include "support/asserts.h"

#include <stdio.h>
#include <string.h>

static struct jtg_redis_uri uri;
static char text[256]; /* the options point into it */
static jtg_error err;

static jtg_status read_query(const char *query)
{
    memset(&uri, 0, sizeof uri);
    memset(&err, 0, sizeof err);
    (void)snprintf(text, sizeof text, "%s", query);
    return jtgi_uri_read_query(&uri, text, &err);
}

static void each_text_has_its_option(void **state)
{
    static const struct {
        const char *name;
        size_t offset;
    } keys[] = {
        {"prefix", offsetof(jtg_redis_options, prefix)},
        {"ca", offsetof(jtg_redis_options, tls_ca_file)},
        {"cert", offsetof(jtg_redis_options, tls_cert_file)},
        {"key", offsetof(jtg_redis_options, tls_key_file)},
        {"server_name", offsetof(jtg_redis_options, tls_server_name)},
        {"client_name", offsetof(jtg_redis_options, client_name)},
        {"password_file", offsetof(jtg_redis_options, password_file)},
        {"address_map", offsetof(jtg_redis_options, address_map)},
        {"sentinel_user", offsetof(jtg_redis_options, sentinel_user)},
        {"sentinel_password_file", offsetof(jtg_redis_options, sentinel_password_file)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char query[64];
        const char *value = NULL;
        (void)snprintf(query, sizeof query, "%s=a%%3Db", keys[i].name);
        assert_status(read_query(query), JTG_OK);
        memcpy(&value, (const char *)&uri.options + keys[i].offset, sizeof value);
        assert_string_equal(value, "a=b");
    }
}

static void each_number_has_its_option_and_range(void **state)
{
    static const struct {
        const char *name;
        size_t offset;
        const char *most;
        uint32_t value;
        const char *too_much;
    } keys[] = {
        {"timeout", offsetof(jtg_redis_options, timeout_ms), "60s", 60000, "61s"},
        {"connect_timeout", offsetof(jtg_redis_options, connect_timeout_ms), "7ms", 7, "0ms"},
        {"replicas_timeout", offsetof(jtg_redis_options, replicas_timeout_ms), "7ms", 7, "7"},
        {"keepalive", offsetof(jtg_redis_options, keepalive_s), "7200s", 7200, "7201s"},
        {"max_age", offsetof(jtg_redis_options, max_age_s), "86400s", 86400, "86401s"},
        {"connections", offsetof(jtg_redis_options, connections), "16", 16, "17"},
        {"db", offsetof(jtg_redis_options, database), "65535", 65535, "65536"},
        {"replicas", offsetof(jtg_redis_options, replicas), "32", 32, "33"},
        {"allow_eviction", offsetof(jtg_redis_options, allow_eviction), "yes", 1, "true"},
        {"continuity", offsetof(jtg_redis_options, continuity), "yes", 1, "1"},
        {"fsync", offsetof(jtg_redis_options, fsync), "yes", 1, "YES"},
        {"sentinel_tls", offsetof(jtg_redis_options, sentinel_tls), "yes", 1, "y"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char query[64];
        uint32_t value = 0;
        (void)snprintf(query, sizeof query, "%s=%s", keys[i].name, keys[i].most);
        assert_status(read_query(query), JTG_OK);
        memcpy(&value, (const char *)&uri.options + keys[i].offset, sizeof value);
        assert_int_equal(value, keys[i].value);
        (void)snprintf(query, sizeof query, "%s=%s", keys[i].name, keys[i].too_much);
        assert_status(read_query(query), JTG_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, keys[i].name));
    }
}

static void a_share_is_a_count(void **state)
{
    (void)state;
    assert_status(read_query("issuer_share=1000000000"), JTG_OK);
    assert_true(uri.options.max_entries_per_group == JTG_REDIS_ENTRIES_PER_GROUP_LIMIT);
    assert_status(read_query("issuer_share=1000000001"), JTG_ERR_ARGUMENT);
}

static void a_flag_is_yes_or_no(void **state)
{
    (void)state;
    assert_status(read_query("continuity=yes&fsync=no"), JTG_OK);
    assert_true(uri.options.continuity == 1 && uri.options.fsync == 0);
}

static void keys_have_two_forms(void **state)
{
    (void)state;
    assert_status(read_query("keys=plain"), JTG_OK);
    assert_int_equal(uri.keys, JTG_REDIS_KEYS_PLAIN);
    assert_status(read_query("keys=digest"), JTG_OK);
    assert_int_equal(uri.keys, JTG_REDIS_KEYS_DIGEST);
    assert_status(read_query("keys=digests"), JTG_ERR_ARGUMENT);
    assert_status(read_query(""), JTG_ERR_ARGUMENT);
}

/* And no part of it is repeated. */
static void what_is_not_understood_is_refused(void **state)
{
    static const struct {
        const char *query;
        const char *told;
    } rows[] = {
        {"s3cret=1", "a query key is not known"},
        {"s3cret", "a query key is not known"},
        {"db=1&", "a query key is not known"},
        {"Db=1", "a query key is not known"},
        {"db=1&db=1", "db is given twice"},
        {"db", "db has no value"},
        {"db=", "db has no value"},
        {"prefix=s3cret%", "prefix has a value that is not understood"},
        {"db=s3cret", "db has a value that is not understood"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_status(read_query(rows[i].query), JTG_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, rows[i].told));
        assert_null(strstr(err.text, "s3cret"));
    }
}

/* The path may name the database too: then the query does it twice. */
static void a_database_in_the_path_is_the_one(void **state)
{
    char query[] = "db=1";
    (void)state;
    memset(&uri, 0, sizeof uri);
    uri.has_database = true;
    assert_status(jtgi_uri_read_query(&uri, query, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtgi_uri_read_query(&uri, NULL, NULL), JTG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_has_its_option),
        cmocka_unit_test(each_number_has_its_option_and_range),
        cmocka_unit_test(a_share_is_a_count),
        cmocka_unit_test(a_flag_is_yes_or_no),
        cmocka_unit_test(keys_have_two_forms),
        cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test(a_database_in_the_path_is_the_one),
    };
    return cmocka_run_group_tests_name("uri query", tests, NULL, NULL);
}
