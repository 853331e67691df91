/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/keys/marker.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <stdio.h>
#include <string.h>

static bool reads(const char *text, struct jtgi_marker *marker)
{
    return jtgi_marker_read(marker, text, strlen(text));
}

static void a_marker_says_who_and_since_when(void **state)
{
    struct jtgi_marker marker;
    (void)state;
    assert_true(reads("2 R1 H1 3 7 12 1795176000000 1795176000001 00000000000000ff", &marker));
    assert_string_equal(marker.identity.run_id, "R1");
    assert_string_equal(marker.identity.replication_id, "H1");
    assert_int_equal(marker.identity.database, 3);
    assert_int_equal(marker.identity.evicted_keys, 7);
    assert_int_equal(marker.identity.epoch, 12);
    assert_int_equal(marker.since_ms, INT64_C(1795176000000));
    assert_int_equal(marker.vouched_ms, INT64_C(1795176000001));
    assert_int_equal(marker.nonce, 255);
    assert_true(reads("2 R H 0 0 0 0 0 ff", &marker));
    assert_true(marker.since_ms == JTGI_SINCE_EVER);
    assert_int_equal(marker.identity.epoch, 0);
    assert_true(reads("2 R H 0 0 - - 0 ff", &marker));
    assert_true(marker.since_ms == JTGI_SINCE_PENDING);
    assert_true(marker.identity.epoch == JTGI_NO_EPOCH);
    assert_true(reads("2 R H 0 18446744073709551615 18446744073709551614 9223372036854775806 "
                      "9223372036854775806 ff",
                      &marker));
    assert_int_equal(marker.identity.evicted_keys, JTG_REDIS_UNSTATED);
}

static void what_is_no_marker(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "2",
        "1 R H 0 0 5 ff", /* of an earlier version */
        "1 R H 0 0 - 5 0 ff",
        "3 R H 0 0 - 5 0 ff",
        "0 R H 0 0 - 5 0 ff",
        "2 R H 0 0 5 0 ff",
        "2 R H 0 0 - 5 ff",
        "2 R H 0 0 - 5 0",
        "2 R H 0 0 - 5 0 ",
        "2 R H 0 0 - 5 0 ff ",
        "2 R H 0 0 - 5 0 ff x",
        "2  R H 0 0 - 5 0 ff",
        " 2 R H 0 0 - 5 0 ff",
        "2 R H 0 0 - 5 0 FF",
        "2 R H 0 0 - 5 0 0",
        "2 R H 0 0 - 5 0 1",
        "2 R H 0 0 - 5 0 10000000000000000",
        "2 R H 0 0 - 9223372036854775807 0 ff",
        "2 R H 0 0 - 5 9223372036854775807 ff",
        "2 R H 0 0 - 5 - ff",
        "2 R H 0 0 - -5 0 ff",
        "2 R H 0 0 - +5 0 ff",
        "2 R H 0 0 - 5.0 0 ff",
        "2 R H 0 0 18446744073709551615 5 0 ff",
        "2 R H 0 0 x 5 0 ff",
        "2 R H 4294967296 0 - 5 0 ff",
        "2 R H 0 18446744073709551616 - 5 0 ff",
        "2 R H x 0 - 5 0 ff",
        "2 RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR H 0 0 - 5 0 ff",
        "2 R HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH 0 0 - 5 0 ff",
    };
    struct jtgi_marker marker;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (reads(texts[i], &marker))
            fail_msg("taken for a marker: '%s'", texts[i]);
    assert_false(jtgi_marker_read(&marker, "2 R H 0 0 - 5 0 ff\0", 19));
}

/* What is written is read again; an identity is all of its parts. */
static void an_identity_is_all_its_parts(void **state)
{
    static const struct jtgi_identity one = {"R", "H", 1, 2, 3};
    struct jtgi_identity others[] = {{"S", "H", 1, 2, 3}, {"R", "I", 1, 2, 3},
                                     {"R", "H", 2, 2, 3}, {"R", "H", 1, 3, 3},
                                     {"R", "H", 1, 2, 4}, {"R", "H", 1, 2, JTGI_NO_EPOCH}};
    struct jtgi_marker marker;
    char text[JTGI_IDENTITY_TEXT_BYTES];
    char epoch[JTGI_EPOCH_TEXT_BYTES];
    char whole[JTGI_IDENTITY_TEXT_BYTES + 64];
    (void)state;
    jtgi_identity_format(&one, text);
    assert_string_equal(text, "R H 1 2");
    jtgi_epoch_format(one.epoch, epoch);
    (void)snprintf(whole, sizeof whole, "2 %s %s 5 0 ff", text, epoch);
    assert_true(reads(whole, &marker));
    assert_true(jtgi_identity_equals(&marker.identity, &one));
    assert_true(jtgi_marker_names(&marker, &one));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(jtgi_identity_equals(&others[i], &one));
}

/* Sentinels' clients want the epoch that they were told; others take whatever is there. */
static void an_epoch_counts_where_it_is_known(void **state)
{
    struct jtgi_identity server = {"R", "H", 0, 0, 7};
    struct jtgi_marker marker = {{"R", "H", 0, 0, 7}, 1, 0, 2};
    (void)state;
    assert_true(jtgi_marker_names(&marker, &server));
    server.epoch = 8;
    assert_false(jtgi_marker_names(&marker, &server));
    server.epoch = JTGI_NO_EPOCH;
    assert_true(jtgi_marker_names(&marker, &server));
    marker.identity.epoch = JTGI_NO_EPOCH;
    assert_true(jtgi_marker_names(&marker, &server));
    server.epoch = 7;
    assert_false(jtgi_marker_names(&marker, &server));
}

static void the_longest_identity_fits(void **state)
{
    struct jtgi_redis_config config = {.options = {.database = UINT32_MAX}};
    jtg_redis_server server = {.evicted_keys = UINT64_MAX};
    struct jtgi_identity identity;
    struct jtgi_marker marker;
    char text[JTGI_IDENTITY_TEXT_BYTES];
    char epoch[JTGI_EPOCH_TEXT_BYTES];
    char whole[JTGI_IDENTITY_TEXT_BYTES + 128];
    (void)state;
    memset(server.run_id, 'r', sizeof server.run_id - 1);
    memset(server.replication_id, 'h', sizeof server.replication_id - 1);
    jtgi_identity_of(&identity, &server, &config, JTGI_NO_EPOCH - 1);
    jtgi_identity_format(&identity, text);
    jtgi_epoch_format(identity.epoch, epoch);
    (void)snprintf(whole, sizeof whole, "2 %s %s - 9223372036854775806 ffffffffffffffff", text,
                   epoch);
    assert_true(reads(whole, &marker));
    assert_true(jtgi_identity_equals(&marker.identity, &identity));
}

static void nonces_differ(void **state)
{
    char text[JTGI_NONCE_TEXT_BYTES];
    (void)state;
    uint64_t one = jtgi_nonce_new();
    assert_true(one >= JTGI_NONCE_FIRST);
    assert_true(one != jtgi_nonce_new());
    jtgi_nonce_format(255, text);
    assert_string_equal(text, "00000000000000ff");
}

static void a_moment_is_readable(void **state)
{
    char text[JTGI_MOMENT_BYTES];
    (void)state;
    jtgi_marker_since_format(INT64_C(1795176000999), text);
    assert_string_equal(text, "2026-11-20T12:00:00Z");
    jtgi_marker_since_format(JTGI_SINCE_EVER, text);
    assert_string_equal(text, "ever");
    jtgi_marker_since_format(JTGI_SINCE_PENDING, text);
    assert_string_equal(text, "never");
    jtgi_marker_since_format(INT64_MAX - 1, text);
    assert_true(strlen(text) < sizeof text);
}

/* ---- keys ---- */

static char prefix[JTG_REDIS_PREFIX_MAX_BYTES + 1];

static struct jtgi_redis_config config_of(const char *text)
{
    struct jtgi_redis_config config = {.prefix_len = strlen(text), .slots = 1};
    memcpy(prefix, text, config.prefix_len + 1);
    config.options.prefix = prefix;
    return config;
}

static void without_a_cluster_there_is_one(void **state)
{
    struct jtgi_redis_config config = config_of("p:");
    struct jtgi_marker_keys keys;
    unsigned char key[JTGI_MARKER_KEY_MAX_BYTES];
    (void)state;
    assert_status(jtgi_marker_keys_init(&keys, &config, NULL), JTG_OK);
    assert_int_equal(jtgi_marker_key(&keys, 0, key), 4);
    assert_memory_equal(key,
                        "p:\xff"
                        "c",
                        4);
    assert_true(jtgi_marker_keys_have(&keys, 0));
    jtgi_marker_keys_clear(&keys);
}

static void each_falls_into_its_slot(const char *text)
{
    struct jtgi_redis_config config = config_of(text);
    struct jtgi_marker_keys keys;
    unsigned char key[JTGI_MARKER_KEY_MAX_BYTES];
    config.slots = JTGI_SLOTS;
    assert_status(jtgi_marker_keys_init(&keys, &config, NULL), JTG_OK);
    for (unsigned slot = 0; slot < JTGI_SLOTS; slot++) {
        assert_true(jtgi_marker_keys_have(&keys, (uint16_t)slot));
        size_t len = jtgi_marker_key(&keys, (uint16_t)slot, key);
        assert_true(len <= sizeof key);
        assert_int_equal(jtgi_slot_of(key, len), slot);
        assert_true(jtgi_marker_is_key(&config, key, len));
    }
    jtgi_marker_keys_clear(&keys);
}

/* Also where the prefix opens a hash tag, closes none, or holds an empty one. */
static void each_slot_of_a_cluster_has_its_own(void **state)
{
    static char longest[JTG_REDIS_PREFIX_MAX_BYTES + 1];
    (void)state;
    memset(longest, 'p', JTG_REDIS_PREFIX_MAX_BYTES);
    each_falls_into_its_slot("jtiguard:");
    each_falls_into_its_slot("");
    each_falls_into_its_slot("a{b");
    each_falls_into_its_slot("a}b");
    each_falls_into_its_slot("a{}b");
    each_falls_into_its_slot(longest);
}

/* The whole cache lies in one slot then, and the marker must lie there too. */
static void a_tagged_prefix_has_one(void **state)
{
    struct jtgi_redis_config config = config_of("{jti}:");
    struct jtgi_marker_keys keys;
    unsigned char key[JTGI_MARKER_KEY_MAX_BYTES];
    (void)state;
    config.slots = JTGI_SLOTS;
    assert_status(jtgi_marker_keys_init(&keys, &config, NULL), JTG_OK);
    uint16_t slot = jtgi_slot_of("{jti}:any", 9);
    assert_true(jtgi_marker_keys_have(&keys, slot));
    assert_false(jtgi_marker_keys_have(&keys, slot ^ 1));
    assert_int_equal(jtgi_slot_of(key, jtgi_marker_key(&keys, slot, key)), slot);
    jtgi_marker_keys_clear(&keys);
}

static void a_marker_is_no_entry(void **state)
{
    struct jtgi_redis_config config = config_of("p:");
    (void)state;
    assert_true(jtgi_marker_is_key(&config,
                                   "p:\xff"
                                   "c",
                                   4));
    assert_true(jtgi_marker_is_key(&config,
                                   "p:\xff"
                                   "c{12}",
                                   8));
    assert_false(jtgi_marker_is_key(&config,
                                    "p:\xff"
                                    "cd",
                                    5));
    assert_false(jtgi_marker_is_key(&config, "p:\xff", 3));
    assert_false(jtgi_marker_is_key(&config, "p:c", 3));
    assert_false(jtgi_marker_is_key(&config,
                                    "q:\xff"
                                    "c",
                                    4));
    assert_false(jtgi_marker_is_key(&config,
                                    "p:\xff"
                                    "v:c",
                                    6));
}

static void out_of_memory_is_a_failure(void **state)
{
    struct jtgi_redis_config config = config_of("p:");
    struct jtgi_marker_keys keys;
    (void)state;
    config.slots = JTGI_SLOTS;
    alloc_walk_fail_nth(1);
    assert_status(jtgi_marker_keys_init(&keys, &config, NULL), JTG_ERR_MEMORY);
    assert_true(alloc_walk_end());
    jtgi_marker_keys_clear(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_marker_says_who_and_since_when),
        cmocka_unit_test(what_is_no_marker),
        cmocka_unit_test(an_identity_is_all_its_parts),
        cmocka_unit_test(an_epoch_counts_where_it_is_known),
        cmocka_unit_test(the_longest_identity_fits),
        cmocka_unit_test(nonces_differ),
        cmocka_unit_test(a_moment_is_readable),
        cmocka_unit_test(without_a_cluster_there_is_one),
        cmocka_unit_test(each_slot_of_a_cluster_has_its_own),
        cmocka_unit_test(a_tagged_prefix_has_one),
        cmocka_unit_test(a_marker_is_no_entry),
        cmocka_unit_test(out_of_memory_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
