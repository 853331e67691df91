/* SPDX-License-Identifier: Apache-2.0 */
/* Sentinels that agree, lag, lie, hang and fall silent. */
#include "redis/ask/store.h"
#include "redis/line/deadline.h"
#include "redis/scripted_group.h"
#include "support/host_table.h"

#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 5000 };

/* clang-format off: one line a word */
/* What a Sentinel says of the primary: its epoch, and the port of the server that it names. */
#define MASTER(epoch)                                                                              \
    "*6\r\n$4\r\nname\r\n$4\r\nmain\r\n$5\r\nflags\r\n$6\r\nmaster\r\n"                            \
    "$12\r\nconfig-epoch\r\n$1\r\n" epoch "\r\n"
#define NAMED(server) "*2\r\n$9\r\n127.0.0.1\r\n$5\r\n" server "\r\n"
#define QUESTIONS                                                                                  \
    EXPECT_PLAIN("SENTINEL MYID"), EXPECT_PLAIN("SENTINEL SENTINELS main"),                        \
        EXPECT_PLAIN("SENTINEL MASTER main"),                                                      \
        EXPECT_PLAIN("SENTINEL GET-MASTER-ADDR-BY-NAME main")
#define DOES_NOT_SAY         "-NOPERM x\r\n" /* whom it knows */
#define KNOWS_NOBODY         "*0\r\n"
#define PEER(server)         "*4\r\n$4\r\nname\r\n$1\r\ns\r\n$5\r\nrunid\r\n$5\r\n" server "\r\n"
#define KNOWS(server)        "*1\r\n" PEER(server)
#define KNOWS_ALL            "*3\r\n" PEER("@1") PEER("@2") PEER("@3")
#define OWN_ID               "$5\r\n@=\r\n" /* its own port */
#define ID                   OWN_ID DOES_NOT_SAY
#define SAYS(words)          ACCEPT, QUESTIONS, SEND(ID words), CLOSED
#define NAMES(epoch, server) SAYS(MASTER(epoch) NAMED(server))
/* peers: whom it knows. */
#define TELLS(peers, epoch, server)                                                                \
    ACCEPT, QUESTIONS, SEND(OWN_ID peers MASTER(epoch) NAMED(server)), CLOSED
#define ALL "127.0.0.1:@1,127.0.0.1:@2,127.0.0.1:@3"
/* clang-format on */

static void the_primary_is_the_one_they_name(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 4);
    group_follow(&g, 0, GREET(NULL), SET_OK, SET_OK);
    group_follow(&g, 1, NAMES("1", "@0"));
    group_follow(&g, 2, NAMES("1", "@0"));
    group_follow(&g, 3, NAMES("1", "@0"));
    group_open_sentinels(&g, ALL, NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    assert_status(group_reserve(&g, "two"), JTG_OK); /* and nobody is asked again */
    assert_int_equal(group_stats(&g).primary_changes, 0);
    group_close(&g);
}

/* Inside its network the primary has another address; nobody is at that one here. */
static void the_primary_is_reached_where_the_map_says(void **state)
{
    struct scripted_group g;
    char map[64];
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, GREET(NULL), SET_OK);
    group_follow(&g, 1, SAYS(MASTER("1") "*2\r\n$13\r\ninner.invalid\r\n$4\r\n6379\r\n"));
    (void)snprintf(map, sizeof map, "inner.invalid:6379=127.0.0.1:%u", (unsigned)g.servers[0].port);
    options.address_map = map;
    group_open_sentinels(&g, "127.0.0.1:@1", &options);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    group_close(&g);
}

/* The stale ones are asked first, and are most. Of four in the list three must answer, so that all
 * three are heard on a busy machine too: nobody listens on port 1. */
static void the_greatest_epoch_wins(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 4);
    group_follow(&g, 0, GREET(NULL), SET_OK);
    group_follow(&g, 1, NAMES("3", "@1"));
    group_follow(&g, 2, NAMES("3", "@1"));
    group_follow(&g, 3, NAMES("4", "@0"));
    group_open_sentinels(&g, ALL ",127.0.0.1:1", NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    group_close(&g);
}

/* What one said before holds when only those answer that never learnt it. */
static void what_was_said_is_not_gone_back_behind(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 3);
    group_follow(&g, 0, GREET(NULL), SET_OK, EXPECT("SET"), CLOSE);
    group_follow(&g, 1, NAMES("7", "@0"), NAMES("6", "@2"), DEAF);
    group_follow(&g, 2, DEAF);
    group_open_sentinels(&g, "127.0.0.1:@1", NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    assert_status(group_reserve(&g, "two"), JTG_ERR_TIMEOUT);
    assert_int_equal(group_stats(&g).primary_changes, 0);
    group_close(&g);
}

/* READONLY: the old primary was made a replica. One call finds the new one. */
static void a_primary_that_became_a_replica_is_left_at_once(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 3);
    group_follow(&g, 0, GREET(NULL), SET_OK, EXPECT("SET"),
                 SEND("-READONLY You can't write against a read only replica.\r\n"), SEAL);
    group_follow(&g, 2, NAMES("1", "@0"), NAMES("2", "@1"));
    group_follow(&g, 1, GREET(NULL), SET_OK);
    group_open_sentinels(&g, "127.0.0.1:@2", NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    assert_status(group_reserve(&g, "two"), JTG_OK);
    assert_int_equal(group_stats(&g).primary_changes, 1);
    group_close(&g);
}

/* A lost connection: asked again at the new primary, with the same owner. */
static void a_lost_primary_is_asked_for_at_once(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 3);
    group_follow(&g, 0, GREET(NULL), SET_OK, EXPECT("SET"), DEAF, CLOSE);
    group_follow(&g, 2, NAMES("1", "@0"), NAMES("2", "@1"));
    group_follow(&g, 1, GREET(NULL), SET_OK);
    group_open_sentinels(&g, "127.0.0.1:@2", NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    assert_status(group_reserve(&g, "two"), JTG_OK);
    assert_int_equal(group_stats(&g).asked_again, 1);
    group_close(&g);
}

static void a_replica_that_is_named_is_refused(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, GREET("role:slave\r\nloading:0\r\nmaxmemory:0\r\n"), CLOSED);
    group_follow(&g, 1, NAMES("1", "@0"));
    group_open_sentinels(&g, "127.0.0.1:@1", NULL);
    assert_status(group_reserve(&g, "one"), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(g.err.text, "replica"));
    group_close(&g);
}

/* It costs a share of the time, and the others are asked. */
static void one_that_hangs_is_passed_over(void **state)
{
    struct scripted_group g;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.timeout_ms = 1200;
    group_listen(&g, 4);
    group_follow(&g, 0, GREET(NULL), SET_OK);
    group_follow(&g, 1, ACCEPT, QUESTIONS, CLOSED);
    group_follow(&g, 2, NAMES("1", "@0"));
    group_follow(&g, 3, NAMES("1", "@0"));
    group_open_sentinels(&g, ALL, &options);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    assert_true(g.took_ms < 600);
    group_close(&g);
}

static void one_that_is_gone_is_passed_over(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 4);
    group_follow(&g, 0, GREET(NULL), SET_OK);
    group_follow(&g, 1, ACCEPT, RESET);
    group_follow(&g, 2, NAMES("1", "@0"));
    group_follow(&g, 3, NAMES("1", "@0"));
    group_open_sentinels(&g, ALL, NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    group_close(&g);
}

/* One of three may be cut off together with an old primary. */
static void a_minority_is_not_believed(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 3);
    group_follow(&g, 0, ACCEPT, RESET);
    group_follow(&g, 1, ACCEPT, CLOSE);
    group_follow(&g, 2, NAMES("1", "@0"));
    group_open_sentinels(&g, "127.0.0.1:@0,127.0.0.1:@1,127.0.0.1:@2", NULL);
    assert_status(group_reserve(&g, "one"), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(g.err.text, "too few of the Sentinels"));
    group_close(&g);
}

/* Two entries of three lead to one Sentinel: it has one voice, and the third is not heard. */
static void one_that_stands_twice_counts_once(void **state)
{
    static const char same[] = "$4\r\nsame\r\n" DOES_NOT_SAY MASTER("1") NAMED("@0");
    struct scripted_group g;
    (void)state;
    group_listen(&g, 4);
    group_follow(&g, 0, DEAF);
    group_follow(&g, 1, ACCEPT, QUESTIONS, SEND(same), CLOSED);
    group_follow(&g, 2, ACCEPT, QUESTIONS, SEND(same), CLOSED);
    group_follow(&g, 3, ACCEPT, RESET);
    group_open_sentinels(&g, ALL, NULL);
    assert_status(group_reserve(&g, "one"), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(g.err.text, "too few of the Sentinels name the primary: 1 of 3 answer"));
    group_close(&g);
}

/* With the third they are two of three, which is enough. */
static void one_that_stands_twice_does_not_harm(void **state)
{
    static const char same[] = "$4\r\nsame\r\n" DOES_NOT_SAY MASTER("1") NAMED("@0");
    struct scripted_group g;
    (void)state;
    group_listen(&g, 4);
    group_follow(&g, 0, GREET(NULL), SET_OK);
    group_follow(&g, 1, ACCEPT, QUESTIONS, SEND(same), CLOSED);
    group_follow(&g, 2, ACCEPT, QUESTIONS, SEND(same), CLOSED);
    group_follow(&g, 3, NAMES("1", "@0"));
    group_open_sentinels(&g, ALL, NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    group_close(&g);
}

/* Its user may not ask for the id: that of its process is as good. */
static void one_that_hides_its_id_is_asked_for_its_process(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, GREET(NULL), SET_OK);
    group_follow(&g, 1, ACCEPT, QUESTIONS,
                 SEND("-NOPERM x\r\n" KNOWS("00000") MASTER("1") NAMED("@0")),
                 EXPECT_PLAIN("INFO server"), SEND("$11\r\nrun_id:S1\r\n\r\n"), CLOSED);
    group_open_sentinels(&g, "127.0.0.1:@1", NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    group_close(&g);
}

static void one_that_hides_both_is_nobody(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, DEAF);
    group_follow(&g, 1, ACCEPT, QUESTIONS,
                 SEND("-NOPERM x\r\n" KNOWS("00000") MASTER("1") NAMED("@0")),
                 EXPECT_PLAIN("INFO server"), SEND("-NOPERM x\r\n"), CLOSED);
    group_open_sentinels(&g, "127.0.0.1:@1", NULL);
    assert_status(group_reserve(&g, "one"), JTG_ERR_REFUSED);
    assert_non_null(strstr(g.err.text, "SENTINEL MYID"));
    group_close(&g);
}

/* ---- names ---- */

#define COUNTING(others, server)                                                                   \
    ACCEPT, QUESTIONS,                                                                             \
        SEND(ID                                                                                    \
             "*4\r\n$12\r\nconfig-epoch\r\n$1\r\n1\r\n$19\r\nnum-other-sentinels\r\n$1\r\n" others \
             "\r\n" NAMED(server)),                                                                \
        CLOSED

/* Both addresses of a name are one Sentinel, and with the second entry they are two of two in the
 * list, although both still count five that were removed. */
static void one_with_two_addresses_is_one(void **state)
{
    struct scripted_group g;
    (void)state;
    host_table_set("s.test", "127.0.0.1,127.0.0.2");
    group_listen(&g, 3);
    scripted_server_listen_beside(&g.servers[g.count++], "127.0.0.2", &g.servers[1]);
    group_follow(&g, 0, GREET(NULL), SET_OK);
    group_follow(&g, 1, COUNTING("6", "@0"));
    group_follow(&g, 2, COUNTING("6", "@0"));
    group_follow(&g, 3, COUNTING("6", "@0"));
    group_open_sentinels(&g, "s.test:@1,127.0.0.1:@2", NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    group_close(&g);
}

/* Nothing listens at the other family's address. */
static void one_that_has_an_address_of_each_family_is_one(void **state)
{
    struct scripted_group g;
    (void)state;
    host_table_set("s.test", "::1,127.0.0.1");
    group_listen(&g, 3);
    group_follow(&g, 0, GREET(NULL), SET_OK);
    group_follow(&g, 1, COUNTING("6", "@0"));
    group_follow(&g, 2, COUNTING("6", "@0"));
    group_open_sentinels(&g, "s.test:@1,127.0.0.1:@2", NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    group_close(&g);
}

/* Of two addresses one is silent: another Sentinel may be there, and two more elsewhere. */
static void a_name_that_may_be_several_is_counted_by_what_they_say(void **state)
{
    struct scripted_group g;
    (void)state;
    host_table_set("s.test", "127.0.0.1,192.0.2.1");
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.timeout_ms = 600;
    group_listen(&g, 3);
    group_follow(&g, 0, DEAF);
    group_follow(&g, 1, COUNTING("4", "@0"));
    group_follow(&g, 2, COUNTING("4", "@0"));
    group_open_sentinels(&g, "s.test:@1,127.0.0.1:@2", &options);
    assert_status(group_reserve(&g, "one"), JTG_ERR_UNAVAILABLE);
    if (strstr(g.err.text, "2 of 5 answer") == NULL)
        fail_msg("%s", g.err.text);
    group_close(&g);
}

/* A name of all three, of which the name service has one at the moment: it may be the one that was
 * cut off with the old primary. Once another is back they are two of three. */
static void one_alone_is_no_majority_of_those_it_knows(void **state)
{
    struct scripted_group g;
    struct jtgi_naming naming = {.resolves = false};
    (void)state;
    host_table_set("s.test", "127.0.0.1");
    group_listen(&g, 2);
    scripted_server_listen_beside(&g.servers[g.count++], "127.0.0.2", &g.servers[1]);
    group_follow(&g, 0, DEAF);
    group_follow(&g, 1, COUNTING("2", "@2"), COUNTING("2", "@0"));
    group_follow(&g, 2, ACCEPT, QUESTIONS,
                 SEND("$5\r\nother\r\n" DOES_NOT_SAY MASTER("1") NAMED("@0")), CLOSED);
    group_open_sentinels(&g, "s.test:@1", NULL);
    struct jtgi_sentinels *sentinels = &((struct jtgi_redis *)(void *)g.cache)->route.sentinels;
    assert_status(jtgi_sentinels_ask(sentinels, jtgi_deadline_in_ms(PATIENCE_MS), &naming, &g.err),
                  JTG_ERR_UNAVAILABLE);
    if (strstr(g.err.text, "1 of 3 answer: list all that they know of") == NULL)
        fail_msg("%s", g.err.text);
    assert_int_equal(naming.members, 3);
    host_table_set("s.test", "127.0.0.1,127.0.0.2");
    assert_status(jtgi_sentinels_ask(sentinels, jtgi_deadline_in_ms(PATIENCE_MS), &naming, NULL),
                  JTG_OK);
    assert_int_equal(naming.agreeing, 2);
    assert_int_equal(naming.primary.port, g.servers[0].port);
    group_close(&g);
}

/* Nor is an address that is the whole list. */
static void one_that_is_listed_alone_is_no_majority_either(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 2);
    group_follow(&g, 0, DEAF);
    group_follow(&g, 1, COUNTING("1", "@0"));
    group_open_sentinels(&g, "127.0.0.1:@1", NULL);
    assert_status(group_reserve(&g, "one"), JTG_ERR_UNAVAILABLE);
    if (strstr(g.err.text, "1 of 2 answer: list all") == NULL)
        fail_msg("%s", g.err.text);
    group_close(&g);
}

/* The name is good inside only, and stands for both Sentinels at where it leads to: once. */
static void a_mapped_name_has_the_addresses_of_where_it_leads(void **state)
{
    struct scripted_group g;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.address_map = "inner.invalid=s.test,s.test=nowhere.invalid";
    host_table_set("s.test", "127.0.0.1,127.0.0.2");
    group_listen(&g, 2);
    scripted_server_listen_beside(&g.servers[g.count++], "127.0.0.2", &g.servers[1]);
    group_follow(&g, 0, GREET(NULL), SET_OK);
    group_follow(&g, 1, COUNTING("1", "@0"));
    group_follow(&g, 2, ACCEPT, QUESTIONS,
                 SEND("$5\r\nother\r\n" DOES_NOT_SAY MASTER("1") NAMED("@0")), CLOSED);
    group_open_sentinels(&g, "inner.invalid:@1", &options);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    group_close(&g);
}

/* By what stands in the list, and where that leads to. */
static void a_mapped_sentinel_that_is_gone_is_told(void **state)
{
    static const char *const lists[] = {"inner.invalid:1", "192.0.2.1:1"};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct scripted_group g;
        char expected[128];
        jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
        options.address_map = "inner.invalid=127.0.0.2,192.0.2.1=127.0.0.2";
        group_listen(&g, 1);
        group_follow(&g, 0, DEAF);
        group_open_sentinels(&g, lists[i], &options);
        assert_status(group_reserve(&g, "one"), JTG_ERR_UNAVAILABLE);
        (void)snprintf(expected, sizeof expected,
                       "no Sentinel names the primary: %s, mapped to 127.0.0.2:1: cannot connect",
                       lists[i]);
        if (strstr(g.err.text, expected) == NULL)
            fail_msg("%s", g.err.text);
        group_close(&g);
    }
}

/* ---- of another deployment ---- */

struct told {
    unsigned times;
    char text[256];
};

static void note_error(void *context, jtg_log_level level, const char *text)
{
    struct told *told = context;
    assert_int_equal(level, JTG_LOG_ERROR);
    told->times++;
    (void)snprintf(told->text, sizeof told->text, "%s", text);
}

/* Its address was given to a Sentinel of another one, whose primary has the same name and a greater
 * epoch. Neither is that primary used, nor is the epoch one that ours would be behind. */
static void a_stranger_is_not_believed_whatever_its_epoch(void **state)
{
    struct scripted_group g;
    struct told told = {.times = 0};
    char expected[64];
    jtg_logger logger = {.struct_size = sizeof logger,
                         .context = &told,
                         .max_level = JTG_LOG_ERROR,
                         .write = note_error};
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.logger = &logger;
    options.timeout_ms = 3000;
    group_listen(&g, 4);
    group_follow(&g, 0, GREET(NULL), SET_OK, EXPECT("SET"), CLOSE, GREET(NULL), SET_OK,
                 EXPECT("SET"), CLOSE, GREET(NULL), SET_OK);
    group_follow(&g, 1, TELLS(KNOWS("00000"), "9", "@1"), TELLS(KNOWS_NOBODY, "9", "@1"), ACCEPT,
                 RESET);
    group_follow(&g, 2, TELLS(KNOWS("@3"), "5", "@0"), TELLS(KNOWS("@3"), "5", "@0"),
                 TELLS(KNOWS("@3"), "5", "@0"));
    group_follow(&g, 3, TELLS(KNOWS_NOBODY, "5", "@0"), TELLS(KNOWS("@2"), "5", "@0"),
                 TELLS(KNOWS("@2"), "5", "@0"));
    group_open_sentinels(&g, ALL, &options);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    (void)snprintf(expected, sizeof expected, "Sentinel at 127.0.0.1:%u does not know",
                   (unsigned)g.servers[1].port);
    if (strstr(told.text, expected) == NULL || strstr(told.text, "out of the list") == NULL)
        fail_msg("%s", told.text);
    assert_status(group_reserve(&g, "two"), JTG_OK);
    assert_status(group_reserve(&g, "three"), JTG_OK);
    assert_int_equal(told.times, 1);
    assert_int_equal(group_stats(&g).primary_changes, 0);
    group_close(&g);
}

/* One that the others know: it saw the failover first. */
static void a_newer_epoch_of_one_that_is_known_wins(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 4);
    group_follow(&g, 0, GREET(NULL), SET_OK);
    group_follow(&g, 1, TELLS(KNOWS("@3"), "5", "@1"));
    group_follow(&g, 2, TELLS(KNOWS("@1"), "5", "@1"));
    group_follow(&g, 3, TELLS(KNOWS_NOBODY, "6", "@0"));
    group_open_sentinels(&g, ALL ",127.0.0.1:1", NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    group_close(&g);
}

/* One was told to watch another deployment. The others still know it, and under epoch 0 it has as
 * much to say as they: wherever it stands in the list, every process goes to the same primary. */
static void one_epoch_has_the_primary_that_most_of_them_name(void **state)
{
    (void)state;
    for (unsigned moved = 1; moved <= 3; moved++) {
        struct scripted_group g;
        group_listen(&g, 4);
        group_follow(&g, 0, GREET(NULL), SET_OK);
        for (unsigned i = 1; i <= 3; i++)
            if (i == moved)
                group_follow(&g, i, TELLS(KNOWS("00000"), "0", "@1"));
            else
                group_follow(&g, i, TELLS(KNOWS_ALL, "0", "@0"));
        group_open_sentinels(&g, ALL ",127.0.0.1:1", NULL);
        assert_status(group_reserve(&g, "one"), JTG_OK);
        group_close(&g);
    }
}

static void two_primaries_of_one_epoch_are_none(void **state)
{
    struct scripted_group g;
    char expected[64];
    (void)state;
    group_listen(&g, 3);
    group_follow(&g, 0, DEAF);
    group_follow(&g, 1, TELLS(KNOWS("@2"), "3", "@0"));
    group_follow(&g, 2, TELLS(KNOWS("@1"), "3", "@1"));
    group_open_sentinels(&g, "127.0.0.1:@1,127.0.0.1:@2", NULL);
    assert_status(group_reserve(&g, "one"), JTG_ERR_UNAVAILABLE);
    (void)snprintf(expected, sizeof expected, "127.0.0.1:%u names 127.0.0.1:%u, and as many",
                   (unsigned)g.servers[1].port, (unsigned)g.servers[0].port);
    if (strstr(g.err.text, expected) == NULL)
        fail_msg("%s", g.err.text);
    group_close(&g);
}

/* The same by its name and by its address. */
static void two_names_of_one_primary_are_one(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 3);
    group_follow(&g, 0, GREET(NULL), SET_OK);
    group_follow(&g, 1, TELLS(KNOWS("@2"), "3", "@0"));
    group_follow(&g, 2, ACCEPT, QUESTIONS,
                 SEND(OWN_ID KNOWS("@1") MASTER("3") "*2\r\n$9\r\nlocalhost\r\n$5\r\n@0\r\n"),
                 CLOSED);
    group_open_sentinels(&g, "127.0.0.1:@1,127.0.0.1:@2", NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    group_close(&g);
}

/* Which of them are ours? */
static void strangers_to_each_other_are_told(void **state)
{
    struct scripted_group g;
    char expected[96];
    (void)state;
    group_listen(&g, 4);
    group_follow(&g, 0, DEAF);
    group_follow(&g, 1, TELLS(KNOWS("@3"), "5", "@0"));
    group_follow(&g, 2, TELLS(KNOWS("00000"), "9", "@2"));
    group_follow(&g, 3, ACCEPT, RESET);
    group_open_sentinels(&g, ALL, NULL);
    assert_status(group_reserve(&g, "one"), JTG_ERR_UNAVAILABLE);
    (void)snprintf(expected, sizeof expected,
                   "the Sentinels at 127.0.0.1:%u and 127.0.0.1:%u do not know each other",
                   (unsigned)g.servers[1].port, (unsigned)g.servers[2].port);
    if (strstr(g.err.text, expected) == NULL)
        fail_msg("%s", g.err.text);
    group_close(&g);
}

/* A stranger is no voice for ours either: of three one is left. */
static void a_stranger_is_not_of_the_majority(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 4);
    group_follow(&g, 0, DEAF);
    group_follow(&g, 1, TELLS(KNOWS("@3"), "5", "@0"));
    group_follow(&g, 2, TELLS(KNOWS("00000"), "5", "@0"));
    group_follow(&g, 3, ACCEPT, RESET);
    group_open_sentinels(&g, ALL, NULL);
    assert_status(group_reserve(&g, "one"), JTG_ERR_UNAVAILABLE);
    group_close(&g);
}

/* They were set up a moment ago. */
static void those_that_know_nobody_yet_and_agree_are_believed(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 3);
    group_follow(&g, 0, GREET(NULL), SET_OK);
    group_follow(&g, 1, TELLS(KNOWS_NOBODY, "0", "@0"));
    group_follow(&g, 2, TELLS(KNOWS_NOBODY, "0", "@0"));
    group_open_sentinels(&g, "127.0.0.1:@1,127.0.0.1:@2", NULL);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    group_close(&g);
}

/* An entry that stands twice is a mistake of whoever wrote the list. */
static void an_entry_twice_is_an_error(void **state)
{
    static const char *const lists[] = {"s1,s1", "s1:26379,s2,s1", "S1,s2,s1:26379"};
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
        jtg_cache *cache = NULL;
        jtg_error err = JTG_ERROR_INIT;
        options.sentinels = lists[i];
        options.sentinel_primary = "main";
        assert_status(jtg_redis_new(&cache, &options, &err), JTG_ERR_ARGUMENT);
        assert_string_equal(err.text, "redis: an entry of sentinels stands twice");
        jtg_redis_options cluster = JTG_REDIS_OPTIONS_INIT;
        cluster.cluster_nodes = "n1,n2:6379,N2";
        jtg_error other = JTG_ERROR_INIT;
        assert_status(jtg_redis_new(&cache, &cluster, &other), JTG_ERR_ARGUMENT);
        assert_string_equal(other.text, "redis: an entry of cluster_nodes stands twice");
    }
}

static void all_that_hang_cost_one_deadline(void **state)
{
    struct scripted_group g;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.timeout_ms = 300;
    group_listen(&g, 3);
    for (unsigned i = 0; i < 3; i++)
        group_follow(&g, i, ACCEPT, QUESTIONS, CLOSED);
    group_open_sentinels(&g, "127.0.0.1:@0,127.0.0.1:@1,127.0.0.1:@2", &options);
    assert_status(group_reserve(&g, "one"), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(g.err.text, "no Sentinel names the primary"));
    assert_true(g.took_ms <= 400);
    group_close(&g);
}

/* One Sentinel that answers so, behind its id. */
static jtg_status answer_to_all(const char *words, const char *text)
{
    struct scripted_group g;
    group_listen(&g, 1);
    char said[512];
    (void)snprintf(said, sizeof said, OWN_ID "%s", words);
    group_follow(&g, 0, ACCEPT, QUESTIONS, SEND(said), CLOSED);
    group_open_sentinels(&g, "127.0.0.1:@0", NULL);
    jtg_status status = group_reserve(&g, "one");
    if (strstr(g.err.text, text) == NULL)
        fail_msg("\"%s\" does not say: %s", g.err.text, text);
    group_close(&g);
    return status;
}

/* The same, to the questions about the primary. */
static jtg_status answer_of(const char *words, const char *text)
{
    char said[512];
    (void)snprintf(said, sizeof said, DOES_NOT_SAY "%s", words);
    return answer_to_all(said, text);
}

static void an_unknown_name_is_told(void **state)
{
    static const char text[] = "it knows no primary of this name";
    (void)state;
    assert_status(answer_of("-ERR No such master with that name\r\n*-1\r\n", text),
                  JTG_ERR_REFUSED);
    assert_status(answer_of(MASTER("1") "*-1\r\n", text), JTG_ERR_REFUSED);
}

static void a_login_that_is_missing_is_told(void **state)
{
    (void)state;
    assert_status(answer_of("-NOAUTH Authentication required.\r\n", "asks for a login"),
                  JTG_ERR_REFUSED);
    assert_status(answer_of("-NOPERM x\r\n", "may not run"), JTG_ERR_REFUSED);
}

static void garbage_is_no_answer(void **state)
{
    static const char *const words[] = {
        "+OK\r\n",
        ":1\r\n",
        "*0\r\n",
        "*1\r\n$12\r\nconfig-epoch\r\n",
        "*2\r\n$12\r\nconfig-epoch\r\n$2\r\n-1\r\n",
        "*2\r\n$12\r\nconfig-epoch\r\n$0\r\n\r\n",
        "*2\r\n$12\r\nconfig-epoch\r\n:1\r\n",
        "*2\r\n$12\r\nconfig-epoch\r\n$21\r\n999999999999999999999\r\n",
        MASTER("1") "*1\r\n$1\r\nh\r\n",
        MASTER("1") "*3\r\n$1\r\nh\r\n$1\r\n1\r\n$1\r\n1\r\n",
        MASTER("1") "*2\r\n$1\r\nh\r\n$1\r\n0\r\n",
        MASTER("1") "*2\r\n$1\r\nh\r\n$5\r\n65536\r\n",
        MASTER("1") "*2\r\n$1\r\nh\r\n:6379\r\n",
        MASTER("1") "*2\r\n$0\r\n\r\n$4\r\n6379\r\n",
        MASTER("1") "*2\r\n$3\r\na b\r\n$4\r\n6379\r\n",
        MASTER("1") "$9\r\n127.0.0.1\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_status(answer_of(words[i], "is not understood"), JTG_ERR_PROTOCOL);
    assert_status(answer_of("what?\r\n", "was not understood"), JTG_ERR_UNAVAILABLE);
}

static void garbage_is_nobody_that_it_knows(void **state)
{
    static const char *const words[] = {
        "+OK\r\n",
        "*1\r\n$1\r\ns\r\n",
        "*1\r\n*0\r\n",
        "*1\r\n*1\r\n$5\r\nrunid\r\n",
        "*1\r\n*2\r\n$5\r\nrunid\r\n$0\r\n\r\n",
        "*1\r\n*2\r\n$5\r\nrunid\r\n:1\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_status(answer_to_all(words[i], "is not understood"), JTG_ERR_PROTOCOL);
}

static void they_have_a_login_of_their_own(void **state)
{
    struct scripted_group g;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.password = "of-the-primary";
    options.sentinel_user = "watcher";
    options.sentinel_password = "of-the-sentinel";
    options.timeout_ms = 3000;
    group_listen(&g, 2);
    group_follow(&g, 0, ACCEPT, EXPECT_PLAIN("AUTH of-the-primary"), EXPECT_PLAIN("INFO"),
                 SEND("+OK\r\n"), {SCRIPT_SEND_INFO, NULL, 0}, SET_OK);
    group_follow(&g, 1, ACCEPT, EXPECT_PLAIN("AUTH watcher of-the-sentinel"), QUESTIONS,
                 SEND("+OK\r\n" ID MASTER("1") NAMED("@0")), CLOSED);
    group_open_sentinels(&g, "127.0.0.1:@1", &options);
    assert_status(group_reserve(&g, "one"), JTG_OK);
    group_close(&g);
}

/* ---- what is told ---- */

/* A container's own address, say: nobody listens on port 1. */
static void the_address_that_they_name_is_told(void **state)
{
    static const char *const told[] = {"redis: 127.0.0.1:1: cannot connect",
                                       "redis: 127.0.0.1:1, mapped to 127.0.0.2:1: cannot connect"};
    struct scripted_group g;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    for (unsigned mapped = 0; mapped < 2; mapped++) {
        group_listen(&g, 1);
        group_follow(&g, 0, SAYS(MASTER("1") "*2\r\n$9\r\n127.0.0.1\r\n$1\r\n1\r\n"));
        options.address_map = mapped == 0 ? NULL : "127.0.0.1:1=127.0.0.2:1";
        group_open_sentinels(&g, "127.0.0.1:@0", &options);
        assert_status(group_reserve(&g, "one"), JTG_ERR_UNAVAILABLE);
        if (strstr(g.err.text, told[mapped]) == NULL)
            fail_msg("%s", g.err.text);
        group_close(&g);
    }
}

static void a_sentinel_that_is_gone_is_told(void **state)
{
    struct scripted_group g;
    (void)state;
    group_listen(&g, 1);
    group_follow(&g, 0, DEAF);
    group_open_sentinels(&g, "127.0.0.1:1", NULL);
    assert_status(group_reserve(&g, "one"), JTG_ERR_UNAVAILABLE);
    if (strstr(g.err.text, "no Sentinel names the primary: 127.0.0.1:1: cannot") == NULL)
        fail_msg("%s", g.err.text);
    group_close(&g);
}

/* As the doctor asks: who announces names (resolve-hostnames) means the same server. */
static void a_name_and_its_address_agree(void **state)
{
    static const struct {
        const char *second;
        unsigned agreeing;
    } cases[] = {{"*2\r\n$9\r\nlocalhost\r\n$5\r\n@0\r\n", 3},
                 {"*2\r\n$9\r\n127.0.0.2\r\n$5\r\n@0\r\n", 2},
                 {"*2\r\n$9\r\nlocalhost\r\n$5\r\n@1\r\n", 2},
                 {"*2\r\n$13\r\ninner.invalid\r\n$5\r\n@0\r\n", 3}};
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scripted_group g;
        char words[192];
        struct jtgi_naming naming = {.resolves = true};
        (void)snprintf(words, sizeof words, ID MASTER("1") "%s", cases[i].second);
        group_listen(&g, 4);
        group_follow(&g, 0, DEAF);
        group_follow(&g, 1, NAMES("1", "@0"));
        group_follow(&g, 2, ACCEPT, QUESTIONS, SEND(words), CLOSED);
        group_follow(&g, 3, NAMES("1", "@0"));
        options.address_map = "inner.invalid=127.0.0.1";
        group_open_sentinels(&g, ALL, &options);
        assert_status(jtgi_sentinels_ask(&((struct jtgi_redis *)(void *)g.cache)->route.sentinels,
                                         jtgi_deadline_in_ms(PATIENCE_MS), &naming, NULL),
                      JTG_OK);
        assert_int_equal(naming.agreeing, cases[i].agreeing);
        group_close(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_primary_is_the_one_they_name),
        cmocka_unit_test(the_primary_is_reached_where_the_map_says),
        cmocka_unit_test(the_greatest_epoch_wins),
        cmocka_unit_test(what_was_said_is_not_gone_back_behind),
        cmocka_unit_test(a_primary_that_became_a_replica_is_left_at_once),
        cmocka_unit_test(a_lost_primary_is_asked_for_at_once),
        cmocka_unit_test(a_replica_that_is_named_is_refused),
        cmocka_unit_test(one_that_hangs_is_passed_over),
        cmocka_unit_test(one_that_is_gone_is_passed_over),
        cmocka_unit_test(a_minority_is_not_believed),
        cmocka_unit_test(one_that_stands_twice_counts_once),
        cmocka_unit_test(one_that_stands_twice_does_not_harm),
        cmocka_unit_test(one_that_hides_its_id_is_asked_for_its_process),
        cmocka_unit_test(one_that_hides_both_is_nobody),
        cmocka_unit_test(one_with_two_addresses_is_one),
        cmocka_unit_test(one_that_has_an_address_of_each_family_is_one),
        cmocka_unit_test(a_name_that_may_be_several_is_counted_by_what_they_say),
        cmocka_unit_test(one_alone_is_no_majority_of_those_it_knows),
        cmocka_unit_test(one_that_is_listed_alone_is_no_majority_either),
        cmocka_unit_test(a_mapped_name_has_the_addresses_of_where_it_leads),
        cmocka_unit_test(a_mapped_sentinel_that_is_gone_is_told),
        cmocka_unit_test(a_stranger_is_not_believed_whatever_its_epoch),
        cmocka_unit_test(a_newer_epoch_of_one_that_is_known_wins),
        cmocka_unit_test(one_epoch_has_the_primary_that_most_of_them_name),
        cmocka_unit_test(two_primaries_of_one_epoch_are_none),
        cmocka_unit_test(two_names_of_one_primary_are_one),
        cmocka_unit_test(strangers_to_each_other_are_told),
        cmocka_unit_test(a_stranger_is_not_of_the_majority),
        cmocka_unit_test(those_that_know_nobody_yet_and_agree_are_believed),
        cmocka_unit_test(an_entry_twice_is_an_error),
        cmocka_unit_test(all_that_hang_cost_one_deadline),
        cmocka_unit_test(an_unknown_name_is_told),
        cmocka_unit_test(a_login_that_is_missing_is_told),
        cmocka_unit_test(garbage_is_no_answer),
        cmocka_unit_test(garbage_is_nobody_that_it_knows),
        cmocka_unit_test(they_have_a_login_of_their_own),
        cmocka_unit_test(the_address_that_they_name_is_told),
        cmocka_unit_test(a_sentinel_that_is_gone_is_told),
        cmocka_unit_test(a_name_and_its_address_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
