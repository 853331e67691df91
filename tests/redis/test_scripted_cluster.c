/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of a Cluster that redirect, move slots, contradict themselves and disappear.
 *
 * Slots: bar 5061, somekey 11058, foo 12182. */
#include "redis/scripted_group.h"
#include "support/host_table.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* clang-format off: one line a word */
#define NODE_INFO                "redis_mode:cluster\r\nloading:0\r\nmaxmemory:0\r\n"
#define NODE_OF(id, port)        "*3\r\n$9\r\n127.0.0.1\r\n:" port "\r\n$1\r\n" id "\r\n"
#define NODE(port)               NODE_OF("x", port)
#define RANGE(first, last, node) "*3\r\n:" first "\r\n:" last "\r\n" node
#define ALL_AT(port)             "*1\r\n" RANGE("0", "16383", NODE(port))
#define HALVES(low, high)        "*2\r\n" RANGE("0", "8191", NODE(low)) RANGE("8192", "16383", NODE(high))
#define TELL_MAP(map)                                                                              \
    GREET(NODE_INFO "run_id:@=\r\n"), EXPECT_PLAIN("CLUSTER SLOTS"), SEND(map), CLOSED
#define BE_NODE_OF(map)                                                                            \
    GREET(NODE_INFO), EXPECT_PLAIN("CLUSTER MYID"), SEND("$1\r\nz\r\n"),                           \
        EXPECT_PLAIN("CLUSTER SLOTS"), SEND(map)
#define BE_NODE           GREET(NODE_INFO), EXPECT_PLAIN("CLUSTER MYID"), SEND("$1\r\nx\r\n")
#define SET_ANSWER(words) EXPECT("SET"), SEND(words), SEAL
#define ASKED_SET(words)  EXPECT_PLAIN("ASKING"), EXPECT("SET"), SEND("+OK\r\n" words), SEAL
/* clang-format on */

static void a_key_goes_to_its_node(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 3);
    group_follow(&g, 2, TELL_MAP(HALVES("@0", "@1")));
    group_follow(&g, 0, BE_NODE, EXPECT("SET bar"), SEND("+OK\r\n"), SEAL);
    group_follow(&g, 1, BE_NODE, EXPECT("SET foo"), SEND("+OK\r\n"), SEAL, EXPECT("SET somekey"),
                 SEND("+OK\r\n"), SEAL);
    group_open_cluster(&g, "127.0.0.1:@2", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    assert_status(group_reserve(&g, "bar"), JTG_OK);
    assert_status(group_reserve(&g, "somekey"), JTG_OK);
    assert_int_equal(group_stats(&g).redirects, 0);
    group_close(&g);
}

/* And not asked for again: one slot is remembered at once. */
static void moved_is_followed_and_remembered(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@0")), BE_NODE,
                 SET_ANSWER("-MOVED 12182 127.0.0.1:@1\r\n"), SET_OK);
    group_follow(&g, 1, BE_NODE, SET_OK, SET_OK);
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    assert_status(group_reserve(&g, "bar"), JTG_OK); /* of another slot: where it was */
    assert_int_equal(group_stats(&g).redirects, 1);
    group_close(&g);
}

static void moved_without_a_host_is_the_same_host(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@0")), BE_NODE, SET_ANSWER("-MOVED 12182 :@1\r\n"));
    group_follow(&g, 1, BE_NODE, SET_OK);
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    group_close(&g);
}

static void a_redirect_that_leads_nowhere_is_not_followed(void **state)
{
    static const char *const words[] = {
        "-MOVED 12181 127.0.0.1:@0\r\n", /* of another slot */
        "-MOVED 12182 ?:@0\r\n",
        "-MOVED \r\n",
        "-MOVED 12182 127.0.0.1\r\n",
        "-MOVED 12182 127.0.0.1:0\r\n",
        "-MOVED 12182 no such host:1\r\n",
        "-ASK 12181 127.0.0.1:@0\r\n",
        "-ASK x 127.0.0.1:@0\r\n",
        "-MOVED 12182 127.0.0.1:1\r\n", /* nobody listens there */
    };
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct scripted_group g;
        group_listen(&g, 1);
        group_follow(&g, 0, TELL_MAP(ALL_AT("@0")), BE_NODE, SET_ANSWER(words[i]));
        group_open_cluster(&g, "127.0.0.1:@0", NULL);
        if (group_reserve(&g, "foo") != JTG_ERR_UNAVAILABLE)
            fail_msg("%s: %s", words[i], g.err.text);
        assert_null(strstr(g.err.text, "foo"));
        group_close(&g);
    }
}

static void a_circle_has_an_end(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(
        &g, 0, TELL_MAP(ALL_AT("@0")), BE_NODE, SET_ANSWER("-MOVED 12182 127.0.0.1:@1\r\n"),
        SET_ANSWER("-MOVED 12182 127.0.0.1:@1\r\n"), SET_ANSWER("-MOVED 12182 127.0.0.1:@1\r\n"));
    group_follow(&g, 1, BE_NODE, SET_ANSWER("-MOVED 12182 127.0.0.1:@0\r\n"),
                 SET_ANSWER("-MOVED 12182 127.0.0.1:@0\r\n"),
                 SET_ANSWER("-MOVED 12182 127.0.0.1:@0\r\n"));
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(g.err.text, "another node of the cluster holds the key"));
    group_close(&g);
}

/* This once: the next question goes to where the slot still is. */
static void ask_is_followed_once(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@0")), BE_NODE, SET_ANSWER("-ASK 12182 127.0.0.1:@1\r\n"),
                 SET_OK);
    group_follow(&g, 1, BE_NODE, ASKED_SET("+OK\r\n"));
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    assert_int_equal(group_stats(&g).redirects, 1);
    group_close(&g);
}

/* The move was called off between the two answers. */
static void asking_in_vain_goes_back(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@0")), BE_NODE, SET_ANSWER("-ASK 12182 127.0.0.1:@1\r\n"),
                 SET_OK);
    group_follow(&g, 1, BE_NODE, ASKED_SET("-MOVED 12182 127.0.0.1:@0\r\n"));
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    group_close(&g);
}

static void a_detour_that_is_closed_goes_back(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 1);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@0")), BE_NODE, SET_ANSWER("-ASK 12182 127.0.0.1:1\r\n"),
                 SET_OK);
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    group_close(&g);
}

/* The second answer comes when the map is old enough to be asked for again: of the other node. */
static void what_passes_is_waited_for(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, BE_NODE, SET_ANSWER("-TRYAGAIN x\r\n"), SET_OK, EXPECT("SET"), WAIT(150),
                 SEND("-CLUSTERDOWN The cluster is down\r\n"), SEAL, SET_OK);
    group_follow(&g, 1, TELL_MAP(ALL_AT("@0")), TELL_MAP(ALL_AT("@0")));
    group_open_cluster(&g, "127.0.0.1:@1", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    group_close(&g);
}

static void a_slot_that_nobody_holds_is_unavailable(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 1);
    group_follow(&g, 0, TELL_MAP("*1\r\n" RANGE("0", "8191", NODE("@0"))), BE_NODE, SET_OK);
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(g.err.text, "no node of the Cluster holds the slot"));
    assert_status(group_reserve(&g, "bar"), JTG_OK);
    group_close(&g);
}

static void a_map_that_contradicts_itself_is_refused(void **state)
{
    static const struct {
        const char *map;
        jtg_status status;
    } maps[] = {
        {"*2\r\n" RANGE("0", "9", NODE("@0")) RANGE("9", "16383", NODE("@0")), JTG_ERR_PROTOCOL},
        {"*1\r\n" RANGE("0", "16384", NODE("@0")), JTG_ERR_PROTOCOL},
        {"+OK\r\n", JTG_ERR_PROTOCOL},
        {"*70000\r\n", JTG_ERR_UNAVAILABLE},
        {"*1\r\n*3\r\n:0\r\n:1\r\n*2000000000\r\n", JTG_ERR_UNAVAILABLE},
        {"-NOPERM x\r\n", JTG_ERR_REFUSED},
        {"-ERR This instance has cluster support disabled\r\n", JTG_ERR_REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        struct scripted_group g;
        group_listen(&g, 1);
        group_follow(&g, 0, TELL_MAP(maps[i].map));
        group_open_cluster(&g, "127.0.0.1:@0", NULL);
        assert_status(group_reserve(&g, "foo"), maps[i].status);
        group_close(&g);
    }
}

/* It costs a share of the time. */
static void a_node_that_hangs_is_passed_over(void **state)
{
    struct scripted_group g;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.timeout_ms = 1200;
    group_listen(&g, 4);
    group_follow(&g, 0, ACCEPT, EXPECT_PLAIN("INFO"), CLOSED);
    group_follow(&g, 1, TELL_MAP(ALL_AT("@3")));
    group_follow(&g, 2, TELL_MAP(ALL_AT("@3")));
    group_follow(&g, 3, BE_NODE, SET_OK);
    group_open_cluster(&g, "127.0.0.1:@0,127.0.0.1:@1,127.0.0.1:@2", &options);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    assert_true(g.took_ms < 900);
    group_close(&g);
}

/* The address of a container's own network, as the map has it. */
static void the_node_that_is_not_reached_is_told(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 1);
    group_follow(&g, 0, TELL_MAP(ALL_AT("1")));
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_ERR_UNAVAILABLE);
    if (strstr(g.err.text, "127.0.0.1:1: cannot connect") == NULL)
        fail_msg("%s", g.err.text);
    group_close(&g);
}

static void the_node_that_refuses_is_told(void **state)
{
    struct scripted_group g;
    char told[64];
    (void)state;
    group_listen(&g, 1);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@0")), BE_NODE, SET_ANSWER("-OOM x\r\n"));
    (void)snprintf(told, sizeof told, "redis: 127.0.0.1:%u: the server's memory is full",
                   (unsigned)g.servers[0].port);
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_ERR_FULL);
    assert_string_equal(g.err.text, told);
    group_close(&g);
}

static void a_server_without_cluster_is_refused(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 1);
    group_follow(&g, 0, GREET(NULL), CLOSED);
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_ERR_UNSUPPORTED);
    assert_non_null(strstr(g.err.text, "not a node of a Cluster"));
    group_close(&g);
}

/* It knows the map as well, and holds nothing. */
static void a_replica_tells_the_map(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, GREET("role:slave\r\n" NODE_INFO), EXPECT_PLAIN("CLUSTER SLOTS"),
                 SEND(ALL_AT("@1")), CLOSED);
    group_follow(&g, 1, BE_NODE, SET_OK);
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    group_close(&g);
}

/* Another took over: the map is asked for of those that are left. */
static void a_lost_node_is_looked_for(void **state)
{
    struct scripted_group g;
    jtg_status status = JTG_ERR_UNAVAILABLE;
    (void)state;
    group_listen(&g, 3);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@1")), TELL_MAP(ALL_AT("@2")));
    group_follow(&g, 1, BE_NODE, SET_OK, EXPECT("SET"), DEAF, CLOSE);
    group_follow(&g, 2, BE_NODE, SET_OK);
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    for (unsigned i = 0; i < 100000 && status != JTG_OK; i++) {
        status = group_reserve(&g, "foo");
        assert_true(status == JTG_OK || status == JTG_ERR_UNAVAILABLE || status == JTG_ERR_TIMEOUT);
    }
    assert_status(status, JTG_OK);
    assert_int_equal(group_stats(&g).primary_changes, 1);
    group_close(&g);
}

/* ---- a node of another Cluster ---- */

#define STRANGE_AT(port) "*1\r\n" RANGE("0", "16383", NODE_OF("y", port))
#define OF_THREE         "127.0.0.1:@0,127.0.0.1:@1,127.0.0.1:@2"

/* Its map is whole and sound. Asked first, second or last, it is outvoted. */
static void a_stranger_among_three_is_not_believed(void **state)
{
    (void)state;
    for (unsigned stranger = 0; stranger < 3; stranger++) {
        struct scripted_group g;
        group_listen(&g, 4);
        for (unsigned i = 0; i < 2; i++) {
            if (i == stranger)
                group_follow(&g, i, TELL_MAP(STRANGE_AT("@=")));
            else
                group_follow(&g, i, TELL_MAP(ALL_AT("@3")));
        }
        if (stranger == 2) /* and is not even asked: two of three agree */
            group_follow(&g, 2, DEAF);
        else
            group_follow(&g, 2, TELL_MAP(ALL_AT("@3")));
        group_follow(&g, 3, BE_NODE, SET_OK);
        group_open_cluster(&g, OF_THREE, NULL);
        assert_status(group_reserve(&g, "foo"), JTG_OK);
        group_close(&g);
    }
}

static void two_that_do_not_know_each_other_are_an_error(void **state)
{
    struct scripted_group g;
    char named[96];
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@0")));
    group_follow(&g, 1, TELL_MAP(STRANGE_AT("@1")));
    (void)snprintf(named, sizeof named,
                   "127.0.0.1:%u and 127.0.0.1:%u belong to different Clusters",
                   (unsigned)g.servers[0].port, (unsigned)g.servers[1].port);
    group_open_cluster(&g, "127.0.0.1:@0,127.0.0.1:@1", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_ERR_REFUSED);
    assert_non_null(strstr(g.err.text, named));
    group_close(&g);
}

/* The other is down: it could be the only one of ours. */
static void one_alone_of_two_is_not_believed(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@0")));
    group_follow(&g, 1, DEAF);
    group_open_cluster(&g, "127.0.0.1:@0,127.0.0.1:@1", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(g.err.text, "nobody says that it belongs to it"));
    group_close(&g);
}

/* By two names it has one voice. */
static void one_by_two_names_is_one(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 1);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@0")), TELL_MAP(ALL_AT("@0")));
    host_table_set("one.test", "127.0.0.1");
    group_open_cluster(&g, "127.0.0.1:@0,one.test:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_ERR_UNAVAILABLE);
    group_close(&g);
}

/* The map is right, and the address that it names was given to another Cluster's node. */
static void a_stranger_at_a_nodes_address_is_not_asked(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@1")));
    group_follow(&g, 1, BE_NODE_OF(STRANGE_AT("@1")), CLOSED, DEAF);
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(g.err.text, "belongs to another Cluster"));
    group_close(&g);
}

static void note_stranger(void *context, jtg_log_level level, const char *line)
{
    bool *told = context;
    (void)level;
    *told = *told || strstr(line, "belongs to another Cluster") != NULL;
}

/* It holds no slots yet, so no map names it; but it knows who does. Likewise one whose user may not
 * ask for its id. */
static void a_node_that_no_map_names_is_known_by_its_friends(void **state)
{
    static const char *const ids[] = {"$1\r\nz\r\n", "-NOPERM x\r\n",
                                      "-ERR unknown subcommand\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct scripted_group g;
        group_listen(&g, 1);
        group_follow(&g, 0, TELL_MAP(ALL_AT("@0")), GREET(NODE_INFO), EXPECT_PLAIN("CLUSTER MYID"),
                     SEND(ids[i]), EXPECT_PLAIN("CLUSTER SLOTS"), SEND(ALL_AT("@0")), SET_OK);
        group_open_cluster(&g, "127.0.0.1:@0", NULL);
        assert_status(group_reserve(&g, "foo"), JTG_OK);
        group_close(&g);
    }
}

/* A map that is learnt anew must know the nodes of the one before. That nobody is left who does is
 * not believed on the word of one of two. */
static void is_not_taken_later(const char *ours, const char *strange)
{
    struct scripted_group g;
    bool told = false;
    jtg_logger logger = {.struct_size = sizeof logger,
                         .context = &told,
                         .max_level = JTG_LOG_ERROR,
                         .write = note_stranger};
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.logger = &logger;
    options.timeout_ms = 3000;
    group_listen(&g, 3);
    group_follow(&g, 0, TELL_MAP(ours), TELL_MAP(strange), TELL_MAP(strange), DEAF);
    group_follow(&g, 1, BE_NODE, SET_OK, EXPECT("SET"), DEAF, CLOSE);
    group_follow(&g, 2, TELL_MAP(ours), DEAF);
    group_open_cluster(&g, "127.0.0.1:@0,127.0.0.1:@2", &options);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    for (unsigned i = 0; i < 1000000 && !told; i++) {
        jtg_status status = group_reserve(&g, "foo");
        assert_true(status == JTG_ERR_TIMEOUT || status == JTG_ERR_UNAVAILABLE);
    }
    assert_true(told);
    assert_int_equal(group_stats(&g).primary_changes, 0);
    group_close(&g);
}

static void a_strangers_map_is_not_taken_later(void **state)
{
    (void)state;
    is_not_taken_later(ALL_AT("@1"), STRANGE_AT("@0"));
}

#define OF_SET(primary, replica, other)                                                            \
    "*1\r\n*5\r\n:0\r\n:16383\r\n" primary NODE_OF(replica, "1") NODE_OF(other, "1")

/* One node that was taken out and put into another Cluster has the id that it had. */
static void a_map_that_shares_one_node_is_a_strangers(void **state)
{
    (void)state;
    is_not_taken_later(OF_SET(NODE("@1"), "u", "v"), OF_SET(NODE_OF("v", "@0"), "y", "z"));
    is_not_taken_later(OF_SET(NODE("@1"), "u", "v"),
                       "*1\r\n" RANGE("0", "16383", NODE_OF("v", "@0")));
}

/* ---- a Cluster whose nodes were all exchanged ---- */

#define BE_STRANGER GREET(NODE_INFO), EXPECT_PLAIN("CLUSTER MYID"), SEND("$1\r\ny\r\n")

/* The one that the options name leads to the new one, and nobody of the old one answers. */
static void one_that_was_exchanged_altogether_is_begun_anew(void **state)
{
    struct scripted_group g;
    jtg_status status = JTG_ERR_UNAVAILABLE;
    (void)state;
    group_listen(&g, 3);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@1")), TELL_MAP(STRANGE_AT("@2")),
                 TELL_MAP(STRANGE_AT("@2")));
    group_follow(&g, 1, BE_NODE, SET_OK, EXPECT("SET"), DEAF, CLOSE);
    group_follow(&g, 2, BE_STRANGER, SET_OK);
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    for (unsigned i = 0; i < 100000 && status != JTG_OK; i++) {
        status = group_reserve(&g, "foo");
        assert_true(status == JTG_OK || status == JTG_ERR_UNAVAILABLE || status == JTG_ERR_TIMEOUT);
    }
    assert_status(status, JTG_OK);
    group_close(&g);
}

enum { SILENT_NODES = 60, RANGE_SLOTS = 16384 / SILENT_NODES };

/* Connects, and never answers, at every address of 127.0.0.0/8. */
static int listen_in_silence(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1024), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return listener;
}

/* Each of them holds its part of the slots. */
static void write_map(char *map, size_t size, uint16_t port)
{
    size_t len = (size_t)snprintf(map, size, "*%d\r\n", SILENT_NODES);
    for (int i = 0; i < SILENT_NODES; i++) {
        int last = i == SILENT_NODES - 1 ? 16383 : (i + 1) * RANGE_SLOTS - 1;
        len += (size_t)snprintf(map + len, size - len,
                                "*3\r\n:%d\r\n:%d\r\n*3\r\n$10\r\n127.0.1.%02d\r\n:%u\r\n"
                                "$1\r\nx\r\n",
                                i * RANGE_SLOTS, last, i + 10, (unsigned)port);
        assert_true(len < size);
    }
}

/* Of many that hang each costs its share: the seed must not come behind them. */
static void nodes_that_all_hang_leave_time_for_a_seed(void **state)
{
    static char map[8192];
    struct scripted_group g;
    uint16_t port = 0;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    int listener = listen_in_silence(&port);
    write_map(map, sizeof map, port);
    options.timeout_ms = 3000;
    options.connect_timeout_ms = 300;
    group_listen(&g, 2);
    group_follow(&g, 0, TELL_MAP(map), TELL_MAP(STRANGE_AT("@1")), TELL_MAP(STRANGE_AT("@1")));
    group_follow(&g, 1, BE_STRANGER, SET_OK);
    group_open_cluster(&g, "127.0.0.1:@0", &options);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    group_close(&g);
    (void)close(listener);
}

/* ---- one entry with several addresses ---- */

static const char *const both_addresses = "127.0.0.1,127.0.0.2";

/* The second server at 127.0.0.2, on the port of the first. */
static void listen_at_both(struct scripted_group *g)
{
    group_listen(g, 1);
    scripted_server_listen_beside(&g->servers[1], "127.0.0.2", &g->servers[0]);
    g->count = 2;
}

/* As localhost is, in both families: one server, which says the same of itself at both. */
static void two_addresses_of_one_node_are_one_entry(void **state)
{
    struct scripted_group g;
    (void)state;
    listen_at_both(&g);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@0")), BE_NODE, SET_OK);
    group_follow(&g, 1, TELL_MAP(ALL_AT("@0")));
    host_table_set("two.test", both_addresses);
    group_open_cluster(&g, "two.test:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    group_close(&g);
}

static void an_address_of_the_other_family_may_be_silent(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 1);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@0")), BE_NODE, SET_OK);
    host_table_set("two.test", "::1,127.0.0.1");
    group_open_cluster(&g, "two.test:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    group_close(&g);
}

/* It may be another node: the only one of ours. So may one that does not say who it is. */
static void an_address_of_the_same_family_may_be_another_node(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 1);
    group_follow(&g, 0, TELL_MAP(ALL_AT("@0")));
    host_table_set("two.test", both_addresses);
    group_open_cluster(&g, "two.test:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(g.err.text, "nobody says that it belongs to it"));
    group_close(&g);

    listen_at_both(&g);
    for (unsigned i = 0; i < 2; i++)
        group_follow(&g, i, GREET(NODE_INFO), EXPECT_PLAIN("CLUSTER SLOTS"), SEND(ALL_AT("@0")),
                     CLOSED);
    group_open_cluster(&g, "two.test:@0", NULL);
    assert_status(group_reserve(&g, "foo"), JTG_ERR_UNAVAILABLE);
    group_close(&g);
}

#define TELL_MAP_AS(id, map)                                                                       \
    GREET(NODE_INFO "run_id:" id "\r\n"), EXPECT_PLAIN("CLUSTER SLOTS"), SEND(map), CLOSED

/* The name is good inside only, and stands for the addresses of where it leads to: once. */
static void a_mapped_name_has_the_addresses_of_where_it_leads(void **state)
{
    struct scripted_group g;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.timeout_ms = 3000;
    options.address_map = "inner.invalid=two.test,two.test=nowhere.invalid";
    listen_at_both(&g);
    group_follow(&g, 0, TELL_MAP_AS("one", ALL_AT("@0")), BE_NODE, SET_OK);
    group_follow(&g, 1, TELL_MAP_AS("two", ALL_AT("@0")));
    host_table_set("two.test", both_addresses);
    group_open_cluster(&g, "inner.invalid:@0", &options);
    assert_status(group_reserve(&g, "foo"), JTG_OK);
    group_close(&g);
}

/* ---- a slot that is on its way, where the store is watched ---- */

/* The node of foo and that of bar, each with a marker. */
#define IDENTITY    "run_id:R1\r\nmaster_replid:H1\r\nevicted_keys:0\r\n"
#define SINCE(text) "$37\r\n2 R1 H1 0 0 - " text " 0 00000000000000aa\r\n"
#define FOO_AND_BAR "*2\r\n" RANGE("5061", "5061", NODE("@1")) RANGE("12182", "12182", NODE("@0"))
#define BE_MARKED(since)                                                                           \
    GREET(NODE_INFO IDENTITY), EXPECT_PLAIN("CLUSTER MYID"), SEND("$1\r\nx\r\n"),                  \
        EXPECT_PLAIN("GET"), SEND(SINCE(since)), {SCRIPT_EXPECT, "SET", 0}, EXPECT_PLAIN("GET"),   \
        EXPECT_PLAIN("INFO replication"),                                                          \
    {                                                                                              \
        SCRIPT_EXPECT_SEAL, NULL, 0                                                                \
    }
#define SAME                                                                                       \
    {                                                                                              \
        SCRIPT_SEND_INFO, "master_replid:H1\r\n", 0                                                \
    }

/* It says that the key is over there; and its marker, in the same round trip, that the slot has not
 * kept what the token needs. The other node holds nothing against it, and must not be asked. */
static void is_not_followed(const char *marker)
{
    struct scripted_group g;
    group_listen(&g, 3);
    group_follow(&g, 0, BE_MARKED("1000"), SEND("-ASK 12182 127.0.0.1:@1\r\n"), SEND(marker), SAME,
                 SEAL);
    group_follow(&g, 1, DEAF);
    group_follow(&g, 2, TELL_MAP(FOO_AND_BAR));
    group_open_watched_cluster(&g, "127.0.0.1:@2");
    if (group_reserve_kept(&g, "foo", 2000) != JTG_ERR_CONTINUITY)
        fail_msg("%s", g.err.text);
    group_close(&g);
}

static void ask_is_not_followed_where_too_little_was_kept(void **state)
{
    (void)state;
    is_not_followed(SINCE("5000"));
}

static void ask_is_not_followed_where_the_marker_has_left(void **state)
{
    (void)state;
    is_not_followed("-ASK 12182 127.0.0.1:@1\r\n");
    is_not_followed("$-1\r\n");
}

/* ---- one asks for the map, the others wait ---- */

enum { WAITERS = 3 };

struct waiter {
    struct scripted_group *group;
    pthread_t thread;
    jtg_status status;
    int64_t took_ms;
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void *reserve_in_thread(void *context)
{
    struct waiter *waiter = context;
    jtg_key key = {"foo", 3, NULL, 0};
    int64_t began_ms = now_ms();
    waiter->status =
        jtg_cache_reserve(waiter->group->cache, &key, &waiter->group->owner, 60000, NULL);
    waiter->took_ms = now_ms() - began_ms;
    return NULL;
}

/* A wait that nobody ends lasts until the deadline, three seconds. */
static void who_waits_for_the_map_is_woken(void **state)
{
    struct scripted_group g;
    struct waiter waiters[WAITERS];
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, GREET(NODE_INFO), EXPECT_PLAIN("CLUSTER SLOTS"), WAIT(300),
                 SEND(ALL_AT("@1")), CLOSED);
    group_follow(&g, 1, DEAF);
    group_open_cluster(&g, "127.0.0.1:@0", NULL);
    for (unsigned i = 0; i < WAITERS; i++) {
        waiters[i].group = &g;
        assert_int_equal(pthread_create(&waiters[i].thread, NULL, reserve_in_thread, &waiters[i]),
                         0);
    }
    for (unsigned i = 0; i < WAITERS; i++) {
        assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
        assert_status(waiters[i].status, JTG_ERR_UNAVAILABLE);
        assert_true(waiters[i].took_ms < 2500);
    }
    group_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_goes_to_its_node),
        cmocka_unit_test(moved_is_followed_and_remembered),
        cmocka_unit_test(moved_without_a_host_is_the_same_host),
        cmocka_unit_test(a_redirect_that_leads_nowhere_is_not_followed),
        cmocka_unit_test(a_circle_has_an_end),
        cmocka_unit_test(ask_is_followed_once),
        cmocka_unit_test(asking_in_vain_goes_back),
        cmocka_unit_test(a_detour_that_is_closed_goes_back),
        cmocka_unit_test(what_passes_is_waited_for),
        cmocka_unit_test(a_slot_that_nobody_holds_is_unavailable),
        cmocka_unit_test(a_map_that_contradicts_itself_is_refused),
        cmocka_unit_test(a_node_that_hangs_is_passed_over),
        cmocka_unit_test(a_stranger_among_three_is_not_believed),
        cmocka_unit_test(two_that_do_not_know_each_other_are_an_error),
        cmocka_unit_test(one_alone_of_two_is_not_believed),
        cmocka_unit_test(one_by_two_names_is_one),
        cmocka_unit_test(a_stranger_at_a_nodes_address_is_not_asked),
        cmocka_unit_test(a_node_that_no_map_names_is_known_by_its_friends),
        cmocka_unit_test(a_strangers_map_is_not_taken_later),
        cmocka_unit_test(a_map_that_shares_one_node_is_a_strangers),
        cmocka_unit_test(one_that_was_exchanged_altogether_is_begun_anew),
        cmocka_unit_test(nodes_that_all_hang_leave_time_for_a_seed),
        cmocka_unit_test(two_addresses_of_one_node_are_one_entry),
        cmocka_unit_test(an_address_of_the_other_family_may_be_silent),
        cmocka_unit_test(an_address_of_the_same_family_may_be_another_node),
        cmocka_unit_test(a_mapped_name_has_the_addresses_of_where_it_leads),
        cmocka_unit_test(the_node_that_is_not_reached_is_told),
        cmocka_unit_test(the_node_that_refuses_is_told),
        cmocka_unit_test(a_server_without_cluster_is_refused),
        cmocka_unit_test(a_replica_tells_the_map),
        cmocka_unit_test(a_lost_node_is_looked_for),
        cmocka_unit_test(ask_is_not_followed_where_too_little_was_kept),
        cmocka_unit_test(ask_is_not_followed_where_the_marker_has_left),
        cmocka_unit_test(who_waits_for_the_map_is_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
