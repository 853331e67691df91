/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/slots/slot_map.h"
#include "support/asserts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct jtgi_address asked = {.host = "asked.example", .port = 7000};
static struct jtgi_slot_map map; /* too large for a stack */

static jtg_status read_map(const char *wire)
{
    jtg_error err = JTG_ERROR_INIT;
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    assert_non_null(reader);
    assert_int_equal(redisReaderFeed(reader, wire, strlen(wire)), REDIS_OK);
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    const redisReply *whole = reply;
    jtgi_slot_map_begin(&map);
    for (size_t i = 0; whole->type == REDIS_REPLY_ARRAY && i < whole->elements; i++)
        jtgi_slot_map_add(&map, whole->element[i], &asked);
    jtg_status status = jtgi_slot_map_end(&map, reply, &err);
    assert_err_tells(&err, status);
    freeReplyObject(reply);
    redisReaderFree(reader);
    return status;
}

#define NODE(host, port)         "*3\r\n" host ":" port "\r\n$2\r\nid\r\n"
#define NAMED(host, port, names) "*4\r\n" host ":" port "\r\n$2\r\nid\r\n" names
#define RANGE(first, last, node) "*3\r\n:" first "\r\n:" last "\r\n" node
#define HOST_A                   "$1\r\na\r\n"
#define HOST_B                   "$1\r\nb\r\n"

static void assert_owner(unsigned slot, const char *host, uint32_t port)
{
    assert_true(map.owners[slot] != 0);
    assert_string_equal(map.primaries[map.owners[slot] - 1].address.host, host);
    assert_int_equal(map.primaries[map.owners[slot] - 1].address.port, port);
}

static void every_slot_has_its_primary(void **state)
{
    (void)state;
    assert_status(read_map("*3\r\n" RANGE("0", "99", NODE(HOST_A, "1"))
                               RANGE("100", "16382", NODE(HOST_B, "2"))
                                   RANGE("16383", "16383", NODE(HOST_A, "1"))),
                  JTG_OK);
    assert_int_equal(map.count, 2);
    assert_int_equal(map.covered, JTGI_SLOTS);
    assert_owner(0, "a", 1);
    assert_owner(99, "a", 1);
    assert_owner(100, "b", 2);
    assert_owner(16383, "a", 1);
}

static void a_hole_has_none(void **state)
{
    (void)state;
    assert_status(read_map("*1\r\n" RANGE("5", "9", NODE(HOST_A, "1"))), JTG_OK);
    assert_int_equal(map.covered, 5);
    assert_int_equal(map.owners[4], 0);
    assert_int_equal(map.owners[10], 0);
    assert_status(read_map("*0\r\n"), JTG_OK);
    assert_int_equal(map.covered, 0);
}

static void replicas_hold_nothing(void **state)
{
    (void)state;
    assert_status(read_map("*1\r\n*4\r\n:0\r\n:9\r\n" NODE(HOST_A, "1") NODE(HOST_B, "2")), JTG_OK);
    assert_int_equal(map.count, 1);
    assert_owner(0, "a", 1);
}

/* Redis 7: cluster-preferred-endpoint-type says which it is; the other stands beside it. */
static void a_node_is_reached_by_the_endpoint_that_is_preferred(void **state)
{
#define IP(ip)     "*2\r\n$2\r\nip\r\n" ip
#define NAME(name) "*2\r\n$8\r\nhostname\r\n" name
    static const struct {
        const char *node;
        const char *host;
        const char *other;
    } nodes[] = {
        {NAMED(HOST_A, "1", NAME("$4\r\nname\r\n")), "a", "name"},                /* ip */
        {NAMED("$4\r\nname\r\n", "1", IP(HOST_A)), "name", "a"},                  /* hostname */
        {NAMED("$-1\r\n", "1", NAME("$4\r\nname\r\n")), "asked.example", "name"}, /* unknown */
        {NAMED("$-1\r\n", "1", IP(HOST_A)), "asked.example", "a"},
        {NAMED("$1\r\n?\r\n", "1", IP(HOST_A)), "a", ""}, /* preferred, and not announced */
        {NAMED(HOST_A, "1", NAME("$0\r\n\r\n")), "a", ""},
        {NAMED(HOST_A, "1", NAME(HOST_A)), "a", ""},
        {NAMED(HOST_A, "1", NAME("$3\r\na b\r\n")), "a", ""}, /* what is no host is none */
        {NODE(HOST_A, "1"), "a", ""},
    };
    char wire[256];
    (void)state;
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        (void)snprintf(wire, sizeof wire, "*1\r\n*3\r\n:0\r\n:1\r\n%s", nodes[i].node);
        assert_status(read_map(wire), JTG_OK);
        assert_owner(0, nodes[i].host, 1);
        assert_string_equal(map.primaries[0].address.other_host, nodes[i].other);
    }
}

static void no_endpoint_is_that_of_the_node_that_was_asked(void **state)
{
    (void)state;
    assert_status(read_map("*1\r\n" RANGE("0", "1", NODE("$-1\r\n", "1"))), JTG_OK);
    assert_owner(0, "asked.example", 1);
    assert_status(read_map("*1\r\n" RANGE("0", "1", NODE("$0\r\n\r\n", "1"))), JTG_OK);
    assert_owner(0, "asked.example", 1);
}

/* The others can be used all the same. */
static void a_node_that_cannot_be_reached_leaves_a_hole(void **state)
{
    static const char *const nodes[] = {NODE("$1\r\n?\r\n", "1"), NODE(HOST_A, "0"),
                                        NODE(HOST_A, "65536"),    NODE("$3\r\na b\r\n", "1"),
                                        "*1\r\n" HOST_A,          "$1\r\na\r\n",
                                        NODE(":1\r\n", "1")};
    char wire[256];
    (void)state;
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        (void)snprintf(wire, sizeof wire, "*2\r\n%s*3\r\n:2\r\n:3\r\n%s",
                       RANGE("0", "1", NODE(HOST_B, "2")), nodes[i]);
        assert_status(read_map(wire), JTG_OK);
        assert_int_equal(map.covered, 2);
        assert_owner(0, "b", 2);
    }
}

static void what_contradicts_itself_says_nothing(void **state)
{
    static const char *const wrong[] = {
        "+OK\r\n",
        "*-1\r\n",
        "*1\r\n:1\r\n",
        "*1\r\n*2\r\n:0\r\n:1\r\n",
        "*1\r\n*0\r\n",
        "*1\r\n" RANGE("-1", "1", NODE(HOST_A, "1")),
        "*1\r\n" RANGE("0", "16384", NODE(HOST_A, "1")),
        "*1\r\n" RANGE("16384", "16384", NODE(HOST_A, "1")),
        "*1\r\n" RANGE("5", "4", NODE(HOST_A, "1")),
        "*2\r\n" RANGE("0", "5", NODE(HOST_A, "1")) RANGE("5", "9", NODE(HOST_B, "1")),
        "*2\r\n" RANGE("0", "5", NODE(HOST_A, "1")) RANGE("0", "5", NODE(HOST_A, "1")),
        "*1\r\n*3\r\n$1\r\n0\r\n:1\r\n" NODE(HOST_A, "1"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_status(read_map(wrong[i]), JTG_ERR_PROTOCOL);
}

static void an_error_is_told_by_its_row(void **state)
{
    (void)state;
    assert_status(read_map("-NOPERM this user has no permissions\r\n"), JTG_ERR_REFUSED);
    assert_status(read_map("-LOADING x\r\n"), JTG_ERR_UNAVAILABLE);
}

/* ---- who the nodes are ---- */

#define ID_NODE(host, id) "*3\r\n" host ":1\r\n" id

static struct jtgi_slot_map other;

static void maps_of_one_cluster_share_a_node(void **state)
{
    static const char one[] =
        "*1\r\n*4\r\n:0\r\n:9\r\n" ID_NODE(HOST_A, "$2\r\np1\r\n") ID_NODE(HOST_B, "$2\r\nr1\r\n");
    static const struct {
        const char *wire;
        bool shares;
    } others[] = {
        {"*1\r\n" RANGE("0", "9", ID_NODE(HOST_B, "$2\r\np1\r\n")), true},
        {"*1\r\n" RANGE("0", "9", ID_NODE(HOST_B, "$2\r\nr1\r\n")), true}, /* promoted */
        {"*1\r\n" RANGE("0", "9", ID_NODE(HOST_A, "$2\r\np2\r\n")), false},
        {"*1\r\n" RANGE("0", "9", ID_NODE(HOST_A, "$1\r\np\r\n")), false},
        {"*1\r\n" RANGE("0", "9", ID_NODE(HOST_A, "$3\r\np11\r\n")), false},
        {"*1\r\n" RANGE("0", "9", ID_NODE("$1\r\n?\r\n", "$2\r\np1\r\n")), true}, /* unreachable */
        {"*0\r\n", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_status(read_map(others[i].wire), JTG_OK);
        other = map;
        assert_status(read_map(one), JTG_OK);
        assert_int_equal(map.ids.count, 2);
        assert_int_equal(jtgi_node_ids_agree(&map.ids, &other.ids), others[i].shares);
        assert_int_equal(jtgi_node_ids_agree(&other.ids, &map.ids), others[i].shares);
    }
}

/* A letter for each node. */
static void read_letters(const char *letters)
{
    char wire[512];
    int len = snprintf(wire, sizeof wire, "*1\r\n*%zu\r\n:0\r\n:9\r\n", strlen(letters) + 2);
    for (const char *at = letters; *at != '\0'; at++)
        len +=
            snprintf(wire + len, sizeof wire - (size_t)len, ID_NODE(HOST_A, "$1\r\n%c\r\n"), *at);
    assert_status(read_map(wire), JTG_OK);
}

static void one_cluster_shares_most_of_its_nodes(void **state)
{
    static const struct {
        const char *one;
        const char *other;
        bool agree;
    } maps[] = {
        {"abc", "xyc", false}, /* c was taken out, and put into another one */
        {"abc", "c", false},   /* … or is one by itself */
        {"abc", "xc", false},   {"ab", "xb", false},     {"abcdef", "xyzabc", false}, /* half */
        {"abc", "bcd", true},                            /* replaced node by node */
        {"abcd", "bcde", true}, {"abcdef", "abc", true}, /* halved, or doubled, in one step */
        {"abcdef", "ab", true}, {"a", "a", true},        {"ab", "a", true}, /* too few to tell */
        {"a", "abc", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        read_letters(maps[i].one);
        other = map;
        read_letters(maps[i].other);
        assert_int_equal(jtgi_node_ids_agree(&map.ids, &other.ids), maps[i].agree);
        assert_int_equal(jtgi_node_ids_agree(&other.ids, &map.ids), maps[i].agree);
    }
}

/* What is none is nobody: two maps without ids share nothing. */
static void what_is_no_id_names_nobody(void **state)
{
    static const char *const none[] = {
        ID_NODE(HOST_A, "$0\r\n\r\n"), ID_NODE(HOST_A, "$-1\r\n"), ID_NODE(HOST_A, ":7\r\n"),
        ID_NODE(HOST_A, "$41\r\n0123456789012345678901234567890123456789x\r\n"),
        "*2\r\n" HOST_A ":1\r\n"};
    char wire[256];
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        (void)snprintf(wire, sizeof wire, "*1\r\n*3\r\n:0\r\n:1\r\n%s", none[i]);
        assert_status(read_map(wire), JTG_OK);
        assert_int_equal(map.covered, 2);
        assert_int_equal(map.ids.count, 0);
        other = map;
        assert_false(jtgi_node_ids_agree(&map.ids, &other.ids));
    }
}

static void read_replicas(unsigned first, unsigned count)
{
    size_t size = 64 + (size_t)count * 80;
    char *wire = malloc(size);
    assert_non_null(wire);
    int len = snprintf(wire, size, "*1\r\n*%u\r\n:0\r\n:9\r\n", count + 2);
    for (unsigned i = 0; i < count; i++)
        len += snprintf(wire + len, size - (size_t)len, ID_NODE(HOST_A, "$40\r\n%040x\r\n"),
                        first + i);
    assert_status(read_map(wire), JTG_OK);
    free(wire);
}

static bool has_first(const struct jtgi_node_ids *ids, const struct jtgi_node_ids *of)
{
    unsigned place = 0;
    while (of->places[place][0] == '\0')
        place++;
    return jtgi_node_ids_have(ids, of->places[place], strlen(of->places[place]));
}

static void the_ids_are_bounded(void **state)
{
    (void)state;
    read_replicas(1, 3 * JTGI_NODE_IDS_MAX);
    assert_int_equal(map.ids.count, JTGI_NODE_IDS_MAX);
    other = map;
    read_replicas(JTGI_NODE_IDS_MAX, 1);
    assert_true(has_first(&other.ids, &map.ids));
    read_replicas(JTGI_NODE_IDS_MAX + 1, 1);
    assert_false(has_first(&other.ids, &map.ids));
}

static jtg_status read_many(unsigned primaries)
{
    size_t size = 64 + (size_t)primaries * 64;
    char *wire = malloc(size);
    assert_non_null(wire);
    int len = snprintf(wire, size, "*%u\r\n", primaries);
    for (unsigned i = 0; i < primaries; i++)
        len += snprintf(wire + len, size - (size_t)len,
                        RANGE("%u", "%u", "*2\r\n$1\r\na\r\n:%u\r\n"), i, i, i + 1);
    jtg_status status = read_map(wire);
    free(wire);
    return status;
}

static void primaries_have_a_limit(void **state)
{
    (void)state;
    assert_status(read_many(JTG_REDIS_NODES_LIMIT), JTG_OK);
    assert_int_equal(map.count, JTG_REDIS_NODES_LIMIT);
    assert_owner(JTG_REDIS_NODES_LIMIT - 1, "a", JTG_REDIS_NODES_LIMIT);
    assert_status(read_many(JTG_REDIS_NODES_LIMIT + 1), JTG_ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_slot_has_its_primary),
        cmocka_unit_test(a_hole_has_none),
        cmocka_unit_test(replicas_hold_nothing),
        cmocka_unit_test(a_node_is_reached_by_the_endpoint_that_is_preferred),
        cmocka_unit_test(no_endpoint_is_that_of_the_node_that_was_asked),
        cmocka_unit_test(a_node_that_cannot_be_reached_leaves_a_hole),
        cmocka_unit_test(what_contradicts_itself_says_nothing),
        cmocka_unit_test(an_error_is_told_by_its_row),
        cmocka_unit_test(primaries_have_a_limit),
        cmocka_unit_test(maps_of_one_cluster_share_a_node),
        cmocka_unit_test(one_cluster_shares_most_of_its_nodes),
        cmocka_unit_test(what_is_no_id_names_nobody),
        cmocka_unit_test(the_ids_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
