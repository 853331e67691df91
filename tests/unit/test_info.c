/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/server/info.h"
#include "support/asserts.h"

#include <string.h>

static jtg_redis_server read_info(const char *text)
{
    jtg_redis_server server = {.struct_size = sizeof server};
    jtgi_info_read(&server, text, strlen(text), 1795176000000);
    return server;
}

static void the_facts_are_found(void **state)
{
    (void)state;
    jtg_redis_server s = read_info(
        "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:0123abcd\r\n"
        "uptime_in_seconds:90061\r\nserver_time_usec:1795176000250999\r\n\r\n# Memory\r\n"
        "used_memory:1048576\r\nused_memory_human:1.00M\r\nmaxmemory:536870912\r\n"
        "maxmemory_human:512.00M\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\nloading:0\r\n"
        "async_loading:0\r\nrdb_last_save_time:1795170000\r\nrdb_last_bgsave_status:ok\r\n"
        "aof_enabled:1\r\n# Stats\r\nevicted_keys:12\r\n# Replication\r\nrole:master\r\n"
        "connected_slaves:2\r\n");
    assert_string_equal(s.software, "redis");
    assert_string_equal(s.version, "7.0.15");
    assert_string_equal(s.mode, "standalone");
    assert_string_equal(s.role, "master");
    assert_string_equal(s.run_id, "0123abcd");
    assert_string_equal(s.policy, "noeviction");
    assert_int_equal(s.loading, 0);
    assert_int_equal(s.maxmemory_bytes, 536870912);
    assert_int_equal(s.used_memory_bytes, 1048576);
    assert_int_equal(s.evicted_keys, 12);
    assert_int_equal(s.uptime_s, 90061);
    assert_int_equal(s.aof_enabled, 1);
    assert_int_equal(s.rdb_last_save_s, 1795170000);
    assert_int_equal(s.rdb_last_save_ok, 1);
    assert_int_equal(s.connected_replicas, 2);
    assert_int_equal(s.clock_offset_known, 1);
    assert_int_equal(s.clock_offset_ms, 250);
}

static void valkey_states_its_own_version(void **state)
{
    (void)state;
    jtg_redis_server s = read_info("redis_version:7.2.4\r\nserver_name:valkey\r\n"
                                   "valkey_version:8.1.1\r\nserver_mode:standalone\r\n");
    assert_string_equal(s.software, "valkey");
    assert_string_equal(s.version, "8.1.1");
    assert_string_equal(s.mode, "standalone");
}

static void redict_states_its_own_version_and_mode(void **state)
{
    (void)state;
    jtg_redis_server s =
        read_info("redict_version:7.3.6\r\nredis_version:7.2.4\r\nredict_mode:cluster\r\n");
    assert_string_equal(s.software, "redict");
    assert_string_equal(s.version, "7.3.6");
    assert_string_equal(s.mode, "cluster");
}

/* As a Valkey with extended-redis-compatibility. */
static void who_poses_as_a_redis_says_its_mode(void **state)
{
    (void)state;
    jtg_redis_server s = read_info("redis_version:7.2.4\r\nvalkey_version:8.1.1\r\n"
                                   "redis_mode:standalone\r\n");
    assert_string_equal(s.software, "valkey");
    assert_string_equal(s.mode, "standalone");
}

static void what_is_absent_is_unstated(void **state)
{
    static const char *const nothing[] = {"",
                                          "\r\n",
                                          "maxmemory",
                                          "maxmemory:",
                                          "maxmemory:\r\n",
                                          "xmaxmemory:0\r\n",
                                          "maxmemory:0x\r\n",
                                          "maxmemory:-1\r\n",
                                          "maxmemory: 0\r\n",
                                          "maxmemory:99999999999999999999\r\n",
                                          "maxmemory:0\r\nmaxmemory:1\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
        assert_true(read_info(nothing[i]).maxmemory_bytes == JTG_REDIS_UNSTATED);
    jtg_redis_server s = read_info("role:\r\nmaxmemory_policy:no eviction\r\n");
    assert_string_equal(s.role, "");
    assert_string_equal(s.policy, "");
    assert_string_equal(s.software, "");
    assert_int_equal(s.clock_offset_known, 0);
}

static void a_text_too_long_is_no_text(void **state)
{
    (void)state;
    jtg_redis_server s = read_info("role:masterwithaverylongname\r\nredis_mode:\033[31mx\r\n");
    assert_string_equal(s.role, "");
    assert_string_equal(s.mode, "");
}

static void the_last_line_needs_no_end(void **state)
{
    (void)state;
    assert_string_equal(read_info("a:b\nrole:master").role, "master");
    assert_int_equal(read_info("rdb_last_bgsave_status:err").rdb_last_save_ok, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_facts_are_found),
        cmocka_unit_test(valkey_states_its_own_version),
        cmocka_unit_test(redict_states_its_own_version_and_mode),
        cmocka_unit_test(who_poses_as_a_redis_says_its_mode),
        cmocka_unit_test(what_is_absent_is_unstated),
        cmocka_unit_test(a_text_too_long_is_no_text),
        cmocka_unit_test(the_last_line_needs_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
