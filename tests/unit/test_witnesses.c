/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/route/witnesses.h"

#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <stdio.h>
#include <string.h>

/* The ids that a node's map names, one letter each, as the reader of maps keeps them. */
static struct jtgi_node_ids ids_of(const char *letters)
{
    static struct jtgi_slot_map map;
    const struct jtgi_address asked = {.host = "h", .port = 1};
    jtgi_slot_map_begin(&map);
    for (unsigned slot = 0; letters[slot] != '\0'; slot++) {
        char letter[2] = {letters[slot], '\0'};
        char host[] = "h";
        redisReply first = {.type = REDIS_REPLY_INTEGER, .integer = (long long)slot};
        redisReply endpoint = {.type = REDIS_REPLY_STRING, .str = host, .len = 1};
        redisReply port = {.type = REDIS_REPLY_INTEGER, .integer = 1};
        redisReply id = {.type = REDIS_REPLY_STRING, .str = letter, .len = 1};
        redisReply *parts[] = {&endpoint, &port, &id};
        redisReply node = {.type = REDIS_REPLY_ARRAY, .elements = 3, .element = parts};
        redisReply *range[] = {&first, &first, &node};
        redisReply reply = {.type = REDIS_REPLY_ARRAY, .elements = 3, .element = range};
        jtgi_slot_map_add(&map, &reply, &asked);
    }
    return map.ids;
}

static void hear(struct jtgi_witnesses *witnesses, const char *run_id, const char *letters)
{
    struct jtgi_address address = {.port = 1};
    struct jtgi_node_ids ids = ids_of(letters);
    (void)snprintf(address.host, sizeof address.host, "%s", run_id);
    assert_true(jtgi_witnesses_add(witnesses, &address, run_id, &ids));
}

static void nobody_is_the_best_of_none(void **state)
{
    struct jtgi_witnesses none = {.count = 0};
    unsigned agreeing = 7;
    (void)state;
    assert_null(jtgi_witnesses_best(&none, &agreeing));
    assert_int_equal(agreeing, 0);
    jtgi_witnesses_clear(&none);
}

static void those_that_share_most_nodes_agree(void **state)
{
    struct jtgi_witnesses heard = {.count = 0};
    unsigned agreeing = 0;
    (void)state;
    hear(&heard, "r1", "abc");
    hear(&heard, "r2", "bcd");
    const struct jtgi_witness *best = jtgi_witnesses_best(&heard, &agreeing);
    assert_int_equal(agreeing, 2);
    assert_null(jtgi_witnesses_stranger(&heard, best));
    jtgi_witnesses_clear(&heard);
}

static void most_voices_win_and_the_stranger_is_named(void **state)
{
    struct jtgi_witnesses heard = {.count = 0};
    unsigned agreeing = 0;
    (void)state;
    hear(&heard, "r1", "xya");
    hear(&heard, "r2", "abc");
    hear(&heard, "r3", "bcd");
    const struct jtgi_witness *best = jtgi_witnesses_best(&heard, &agreeing);
    assert_int_equal(agreeing, 2);
    assert_string_equal(best->address.host, "r2");
    assert_string_equal(jtgi_witnesses_stranger(&heard, best)->address.host, "r1");
    jtgi_witnesses_clear(&heard);
}

static void one_that_was_heard_before_counts_once(void **state)
{
    struct jtgi_witnesses heard = {.count = 0};
    unsigned agreeing = 0;
    (void)state;
    hear(&heard, "r1", "ab");
    hear(&heard, "r1", "ab");
    (void)jtgi_witnesses_best(&heard, &agreeing);
    assert_int_equal(agreeing, 1);
    jtgi_witnesses_clear(&heard);
}

static void there_is_an_end_to_them(void **state)
{
    struct jtgi_witnesses heard = {.count = 0};
    char run_id[8];
    (void)state;
    for (unsigned i = 0; i < JTGI_WITNESSES_MAX + 5; i++) {
        (void)snprintf(run_id, sizeof run_id, "r%u", i);
        hear(&heard, run_id, "a");
    }
    assert_int_equal(heard.count, JTGI_WITNESSES_MAX);
    jtgi_witnesses_clear(&heard);
}

static void out_of_memory_is_told(void **state)
{
    struct jtgi_witnesses heard = {.count = 0};
    struct jtgi_address address = {.port = 1};
    struct jtgi_node_ids ids = ids_of("a");
    (void)state;
    alloc_walk_fail_nth(1);
    assert_false(jtgi_witnesses_add(&heard, &address, "r", &ids));
    assert_true(alloc_walk_end());
    assert_int_equal(heard.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_the_best_of_none),
        cmocka_unit_test(those_that_share_most_nodes_agree),
        cmocka_unit_test(most_voices_win_and_the_stranger_is_named),
        cmocka_unit_test(one_that_was_heard_before_counts_once),
        cmocka_unit_test(there_is_an_end_to_them),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
