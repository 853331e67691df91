/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/server/gate.h"
#include "support/asserts.h"

#include <stdio.h>
#include <string.h>

static jtg_redis_server sound_server(void)
{
    jtg_redis_server server = {.struct_size = sizeof server,
                               .mode = "standalone",
                               .role = "master",
                               .policy = "noeviction"};
    return server;
}

static jtg_status judge(const jtg_redis_server *server, bool allow_eviction)
{
    jtg_error err = JTG_ERROR_INIT;
    struct jtgi_redis_config config = {.options = JTG_REDIS_OPTIONS_INIT, .slots = 1};
    config.options.allow_eviction = allow_eviction;
    jtg_status status = jtgi_gate_judge(server, &config, &err);
    assert_int_equal(err.text[0] == '\0', status == JTG_OK);
    return status;
}

static void a_sound_server_passes(void **state)
{
    jtg_redis_server server = sound_server();
    (void)state;
    assert_status(judge(&server, false), JTG_OK);
    server.maxmemory_bytes = 1 << 20;
    assert_status(judge(&server, false), JTG_OK);
    server.maxmemory_bytes = 0; /* nothing to evict for */
    memcpy(server.policy, "allkeys-lru", sizeof "allkeys-lru");
    assert_status(judge(&server, false), JTG_OK);
}

/* Every entry has a time to live: the volatile policies evict it as surely as the others. */
static void every_evicting_policy_is_refused(void **state)
{
    static const char *const policies[] = {
        "allkeys-lru",  "allkeys-lfu",     "allkeys-random",  "volatile-lru", "volatile-lfu",
        "volatile-ttl", "volatile-random", "some-new-policy", "NOEVICTION",   ""};
    jtg_redis_server server = sound_server();
    (void)state;
    server.maxmemory_bytes = 1 << 20;
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        memcpy(server.policy, policies[i], strlen(policies[i]) + 1);
        assert_true(jtgi_gate_evicts(&server));
        assert_status(judge(&server, false), JTG_ERR_UNSAFE);
        assert_status(judge(&server, true), JTG_OK);
    }
}

/* Whoever reads it must find the setting that is wrong, and not be told to set what is set. */
static void what_info_says_of_eviction_is_told(void **state)
{
    static const struct {
        uint64_t limit;
        const char *policy;
        const char *text;
    } cases[] = {
        {1048576, "volatile-lru",
         "INFO says maxmemory 1048576, maxmemory-policy volatile-lru: set the policy to "
         "noeviction"},
        {1048576, "",
         "maxmemory 1048576, maxmemory-policy not stated, or twice: set the policy to noeviction"},
        {JTG_REDIS_UNSTATED, "noeviction",
         "maxmemory not stated, or twice, maxmemory-policy noeviction: let it state maxmemory"},
        {JTG_REDIS_UNSTATED, "", "not stated, or twice, maxmemory-policy not stated"},
        {UINT64_MAX - 1, "an-unknown-policy-of-23",
         "maxmemory-policy an-unknown-policy-of-23: set the policy to noeviction"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        jtg_redis_server server = sound_server();
        struct jtgi_redis_config config = {.options = JTG_REDIS_OPTIONS_INIT, .slots = 1};
        jtg_error err = JTG_ERROR_INIT;
        server.maxmemory_bytes = cases[i].limit;
        (void)snprintf(server.policy, sizeof server.policy, "%s", cases[i].policy);
        assert_status(jtgi_gate_judge(&server, &config, &err), JTG_ERR_UNSAFE);
        if (strstr(err.text, cases[i].text) == NULL)
            fail_msg("%s", err.text);
    }
}

static void what_is_not_stated_is_not_trusted(void **state)
{
    jtg_redis_server server = sound_server();
    (void)state;
    server.maxmemory_bytes = JTG_REDIS_UNSTATED;
    assert_status(judge(&server, false), JTG_ERR_UNSAFE);
    server = sound_server();
    server.loading = JTG_REDIS_UNSTATED;
    assert_status(judge(&server, true), JTG_ERR_UNSAFE);
    server = sound_server();
    server.role[0] = '\0';
    assert_status(judge(&server, true), JTG_ERR_UNSAFE);
}

static void what_keeps_no_writes_is_refused(void **state)
{
    jtg_redis_server server = sound_server();
    (void)state;
    server.loading = 1;
    assert_status(judge(&server, true), JTG_ERR_UNAVAILABLE);
    server = sound_server();
    memcpy(server.role, "slave", sizeof "slave");
    assert_status(judge(&server, true), JTG_ERR_UNAVAILABLE);
}

/* What was found, and how it is named. */
static void another_kind_of_server_is_told_with_its_scheme(void **state)
{
    static const struct {
        const char *mode;
        const char *nodes; /* the option */
        const char *found;
        const char *scheme;
    } cases[] = {
        {"cluster", NULL, "node of a Cluster", "redis+cluster://"},
        {"sentinel", NULL, "Sentinel", "redis+sentinel://"},
        {"sentinel", "a:1", "Sentinel", "redis+sentinel://"},
        {"standalone", "a:1", "standalone", "redis://"},
        {"", "a:1", "not stated", "redis://"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        jtg_redis_server server = sound_server();
        struct jtgi_redis_config config = {.options = JTG_REDIS_OPTIONS_INIT, .slots = 1};
        jtg_error err = JTG_ERROR_INIT;
        config.slots = cases[i].nodes != NULL ? JTGI_SLOTS : 1;
        (void)snprintf(server.mode, sizeof server.mode, "%s", cases[i].mode);
        assert_status(jtgi_gate_judge(&server, &config, &err), JTG_ERR_UNSUPPORTED);
        assert_non_null(strstr(err.text, cases[i].found));
        assert_non_null(strstr(err.text, cases[i].scheme));
        assert_true(strlen(err.text) < JTG_ERROR_TEXT_BYTES - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_server_passes),
        cmocka_unit_test(every_evicting_policy_is_refused),
        cmocka_unit_test(what_info_says_of_eviction_is_told),
        cmocka_unit_test(what_is_not_stated_is_not_trusted),
        cmocka_unit_test(what_keeps_no_writes_is_refused),
        cmocka_unit_test(another_kind_of_server_is_told_with_its_scheme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
