/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/keys/share.h"
#include "support/asserts.h"

#include <string.h>

static const jtg_key jti = {"a jti", 5, "https://issuer.example", 22};

/* The first twelve bytes of SHA-256 over a label, a NUL byte, and the text. */
#define PINNED_GROUP  "\xa3\xd2\xad\x6d\x4a\x8a\xb4\x3a\x1e\xd1\x2f\x06"
#define PINNED_MEMBER "\x81\x2a\xdd\x74\xb9\xba\x2d\x43\xd0\x53\x03\xc4"

static struct jtgi_redis_config config;

/* Where there is no Cluster: slot 0. */
static void open_shares(struct jtgi_shares *shares, const char *prefix, uint64_t limit,
                        bool is_cluster)
{
    config.options.prefix = prefix;
    config.prefix_len = strlen(prefix);
    config.options.max_entries_per_group = limit;
    config.slots = is_cluster ? JTGI_SLOTS : 1;
    assert_status(jtgi_shares_init(shares, &config, NULL, NULL), JTG_OK);
}

static struct jtgi_stored_key stored_at(const char *text, uint16_t slot)
{
    struct jtgi_stored_key stored = {.len = strlen(text), .slot = slot};
    memcpy(stored.bytes, text, stored.len);
    return stored;
}

static struct jtgi_share share_of(const struct jtgi_shares *shares, const jtg_key *key,
                                  const char *text, uint16_t slot)
{
    struct jtgi_share share;
    struct jtgi_stored_key stored = stored_at(text, slot);
    memset(&share, 0, sizeof share);
    jtgi_share_of(&share, shares, key, &stored);
    return share;
}

static void without_a_limit_or_a_group_there_is_none(void **state)
{
    struct jtgi_shares shares;
    const jtg_key nobodys = {"a jti", 5, NULL, 0};
    (void)state;
    open_shares(&shares, "p:", 0, false);
    assert_int_equal(share_of(&shares, &jti, "p:a jti", 0).key_len, 0);
    open_shares(&shares, "p:", 5, false);
    assert_int_equal(share_of(&shares, &nobodys, "p:a jti", 0).key_len, 0);
    jtgi_shares_clear(&shares);
}

/* All instances must find the same set, and the same member in it: pinned. */
static void a_share_has_its_key(void **state)
{
    static const char key[] = "p:\xff"
                              "cg";
    struct jtgi_shares shares;
    (void)state;
    open_shares(&shares, "p:", 5, false);
    struct jtgi_share share = share_of(&shares, &jti, "p:a jti", 0);
    assert_int_equal(share.key_len, sizeof key - 1 + JTGI_SHARE_NAME_BYTES);
    assert_memory_equal(share.key, key, sizeof key - 1);
    assert_memory_equal(share.key + sizeof key - 1, share.group, JTGI_SHARE_NAME_BYTES);
    assert_memory_equal(share.group, PINNED_GROUP, JTGI_SHARE_NAME_BYTES);
    assert_memory_equal(share.member, PINNED_MEMBER, JTGI_SHARE_NAME_BYTES);
}

static void groups_and_reservations_differ(void **state)
{
    struct jtgi_shares shares;
    const jtg_key other = {"a jti", 5, "https://issuer.exampl", 21};
    (void)state;
    open_shares(&shares, "p:", 5, false);
    struct jtgi_share one = share_of(&shares, &jti, "p:a jti", 0);
    struct jtgi_share two = share_of(&shares, &other, "p:a jti", 0);
    struct jtgi_share three = share_of(&shares, &jti, "p:another", 0);
    assert_memory_not_equal(one.group, two.group, JTGI_SHARE_NAME_BYTES);
    assert_memory_equal(one.member, two.member, JTGI_SHARE_NAME_BYTES);
    assert_memory_equal(one.group, three.group, JTGI_SHARE_NAME_BYTES);
    assert_memory_not_equal(one.member, three.member, JTGI_SHARE_NAME_BYTES);
}

/* Also where the prefix has a brace of its own that opens nothing. */
static void in_a_cluster_it_lies_in_the_slot_of_the_reservation(void **state)
{
    static const char *const prefixes[] = {"p:", "", "{not a tag:"};
    static const uint16_t slots[] = {0, 1, 5061, 12182, 16383};
    (void)state;
    for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++) {
        struct jtgi_shares shares;
        open_shares(&shares, prefixes[p], 1000000, true);
        assert_int_equal(shares.limit, jtgi_share_of_slot(1000000, JTGI_SLOTS));
        for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
            struct jtgi_share share = share_of(&shares, &jti, "any", slots[i]);
            assert_int_equal(jtgi_slot_of(share.key, share.key_len), slots[i]);
            assert_true(jtgi_share_is_key(&config, share.key, share.key_len));
        }
        jtgi_shares_clear(&shares);
    }
}

static void a_prefix_with_a_tag_has_one_share(void **state)
{
    struct jtgi_shares shares;
    (void)state;
    open_shares(&shares, "{p}:", 7, true);
    uint16_t slot = jtgi_slot_of("{p}:a jti", 9);
    struct jtgi_share share = share_of(&shares, &jti, "{p}:a jti", slot);
    assert_int_equal(shares.limit, 7);
    assert_int_equal(jtgi_slot_of(share.key, share.key_len), slot);
    jtgi_shares_clear(&shares);
}

static void a_slot_has_room_for_chance(void **state)
{
    (void)state;
    assert_int_equal(jtgi_share_of_slot(5, 16384), 5);
    assert_int_equal(jtgi_share_of_slot(100, 16384), 10);
    assert_int_equal(jtgi_share_of_slot(100000, 16384), 7 + 9 * 3);
    assert_int_equal(jtgi_share_of_slot(1000000, 16384), 62 + 9 * 8);
    assert_int_equal(jtgi_share_of_slot(1000000000, 16384), 61036 + 9 * 248);
}

static void another_group_takes_its_place(void **state)
{
    struct jtgi_shares shares;
    const jtg_key nobodys = {"a jti", 5, NULL, 0};
    (void)state;
    open_shares(&shares, "p:", 5, false);
    struct jtgi_share one = share_of(&shares, &jti, "p:a jti", 0);
    struct jtgi_share renamed = share_of(&shares, &nobodys, "p:a jti", 0);
    assert_true(jtgi_share_rename(&renamed, &shares, 0, one.group, sizeof one.group));
    assert_int_equal(renamed.key_len, one.key_len);
    assert_memory_equal(renamed.key, one.key, one.key_len);
    assert_memory_equal(renamed.member, one.member, sizeof one.member);
    assert_false(jtgi_share_rename(&renamed, &shares, 0, one.group, sizeof one.group - 1));
    assert_false(jtgi_share_rename(&renamed, &shares, 0, "", 0));
}

static void what_is_no_share(void **state)
{
    struct jtgi_shares shares;
    unsigned char key[JTGI_SHARE_KEY_MAX_BYTES];
    (void)state;
    open_shares(&shares, "p:", 5, false);
    struct jtgi_share share = share_of(&shares, &jti, "p:a jti", 0);
    assert_true(jtgi_share_is_key(&config, share.key, share.key_len));
    assert_false(jtgi_share_is_key(&config, share.key, share.key_len - 1));
    assert_false(jtgi_share_is_key(&config, "p:", 2));
    assert_false(jtgi_share_is_key(&config,
                                   "p:\xff"
                                   "c",
                                   4)); /* the marker */
    for (size_t i = 0; i < 5; i++) {
        memcpy(key, share.key, share.key_len);
        key[i]++;
        assert_false(jtgi_share_is_key(&config, key, share.key_len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit_or_a_group_there_is_none),
        cmocka_unit_test(a_share_has_its_key),
        cmocka_unit_test(groups_and_reservations_differ),
        cmocka_unit_test(in_a_cluster_it_lies_in_the_slot_of_the_reservation),
        cmocka_unit_test(a_prefix_with_a_tag_has_one_share),
        cmocka_unit_test(a_slot_has_room_for_chance),
        cmocka_unit_test(another_group_takes_its_place),
        cmocka_unit_test(what_is_no_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
