/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/gate.h"
#include "support/asserts.h"

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
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.allow_eviction = allow_eviction;
    jtg_status status = jtgi_gate_judge(server, &options, &err);
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
    server = sound_server();
    memcpy(server.mode, "cluster", sizeof "cluster");
    assert_status(judge(&server, true), JTG_ERR_UNSUPPORTED);
    memcpy(server.mode, "sentinel", sizeof "sentinel");
    assert_status(judge(&server, true), JTG_ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_server_passes),
        cmocka_unit_test(every_evicting_policy_is_refused),
        cmocka_unit_test(what_is_not_stated_is_not_trusted),
        cmocka_unit_test(what_keeps_no_writes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
