/* SPDX-License-Identifier: Apache-2.0 */
/* One operation on its way: what is asked again, where, and how often. */
#include "redis/ask/request.h"

#include "redis/line/deadline.h"
#include "redis/scripted_answers.h"

#include <string.h>

enum { SLOT_LOW = 5061 /* bar */, SLOT_HIGH = 12182 /* foo */ };

#define FIRST  "127.0.0.1:1"
#define SECOND "127.0.0.1:2"
#define OK     REPLY("+OK\r\n")
#define UNSENT .fate = JTGI_FATE_NOT_SENT
#define LOST   .fate = JTGI_FATE_UNKNOWN
#define GET    "GET x "

static struct jtgi_request request;
static redisReply *reply;

static void begin(uint16_t slot)
{
    scripted.err.text[0] = '\0';
    scripted.err.status = JTG_OK;
    jtgi_request_init(&request, &scripted.redis->route, 60000, &scripted.err);
    request.slot = slot;
}

static int open_one(void **state)
{
    (void)state;
    scripted_answers_open(NULL);
    begin(0);
    return 0;
}

static int open_cluster(void **state)
{
    (void)state;
    scripted_answers_open_cluster(NULL);
    begin(SLOT_HIGH);
    return 0;
}

static int close_cache(void **state)
{
    (void)state;
    scripted_answers_close();
    return 0;
}

/* Send it; the reply is forgotten, but for whether there is one. */
static enum jtgi_fate sent_by(enum jtgi_fate (*send)(struct jtgi_request *,
                                                     const struct jtgi_command *, redisReply **))
{
    struct jtgi_command command;
    reply = NULL;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 2);
    jtgi_command_text(&command, "GET");
    jtgi_command_text(&command, "x");
    enum jtgi_fate fate = send(&request, &command, &reply);
    jtgi_command_clear(&command);
    assert_true(reply == NULL || fate == JTGI_FATE_ANSWERED);
    freeReplyObject(reply);
    scripted_answers_done();
    return fate;
}

static enum jtgi_fate sent(void)
{
    return sent_by(jtgi_request_send);
}

static void asked_at(size_t number, const char *address)
{
    assert_string_equal(scripted.questions[number].at, address);
}

static uint64_t redirects(void)
{
    return scripted_answers_stats().redirects;
}

/* ---- one server ---- */

static void what_was_not_sent_is_sent_again(void **state)
{
    (void)state;
    ANSWERS({GET, UNSENT}, {GET, UNSENT}, {GET, OK});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    assert_non_null(reply);
}

static void it_is_sent_four_times_at_most(void **state)
{
    (void)state;
    ANSWERS({GET, UNSENT}, {GET, UNSENT}, {GET, UNSENT}, {GET, UNSENT});
    assert_int_equal(sent(), JTGI_FATE_NOT_SENT);
    assert_status(scripted.err.status, JTG_ERR_UNAVAILABLE);
}

/* A server that is down, a want of memory: nothing that a second try mends. And what may have been
 * done is its caller's to repeat. */
static void what_cannot_help_is_not_tried(void **state)
{
    (void)state;
    ANSWERS({GET, UNSENT, .unsent = JTG_ERR_MEMORY});
    assert_int_equal(sent(), JTGI_FATE_NOT_SENT);
    ANSWERS({GET, LOST});
    assert_int_equal(sent(), JTGI_FATE_UNKNOWN);
    begin(0);
    ANSWERS({GET, UNSENT, .down = true});
    assert_int_equal(sent(), JTGI_FATE_NOT_SENT);
}

static void a_moment_later_is_tried_again(void **state)
{
    (void)state;
    ANSWERS({GET, REPLY("-TRYAGAIN x\r\n")}, {GET, OK});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    ANSWERS({GET, REPLY("-READONLY x\r\n")}); /* of one server: nobody takes over */
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    assert_non_null(reply);
}

static void without_time_nothing_is_sent(void **state)
{
    (void)state;
    request.deadline_ns = jtgi_now_ns();
    ANSWERS({GET, OK});
    scripted.count = 0;
    assert_int_equal(sent(), JTGI_FATE_NOT_SENT);
    assert_status(scripted.err.status, JTG_ERR_UNAVAILABLE);
    assert_false(jtgi_request_may_repeat(&request));
    assert_int_equal(scripted_answers_stats().asked_again, 0);
}

static void a_read_is_asked_once_more(void **state)
{
    (void)state;
    ANSWERS({GET, LOST}, {GET, OK});
    assert_int_equal(sent_by(jtgi_request_read), JTGI_FATE_ANSWERED);
    assert_true(scripted.questions[0].question.repeatable);
    assert_false(request.repeatable); /* the next one is as it says itself */
    ANSWERS({GET, LOST}, {GET, LOST});
    assert_int_equal(sent_by(jtgi_request_read), JTGI_FATE_UNKNOWN);
    assert_int_equal(scripted_answers_stats().asked_again, 2);
}

/* Without Cluster a redirect is an error as any other. */
static void one_server_does_not_redirect(void **state)
{
    (void)state;
    ANSWERS({GET, REPLY("-MOVED 0 127.0.0.1:2\r\n")});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    assert_int_equal(redirects(), 0);
}

/* ---- redirects ---- */

static void moved_is_followed_and_remembered(void **state)
{
    (void)state;
    ANSWERS({GET, REPLY("-MOVED 12182 127.0.0.1:1\r\n")}, {GET, OK}, {GET, OK});
    scripted.count = 2;
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    asked_at(0, SECOND);
    asked_at(1, FIRST);
    scripted.count = 3;
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    asked_at(2, FIRST);
    assert_false(scripted.questions[1].question.asking || request.detoured);
    assert_int_equal(redirects(), 1);
}

static void ask_is_followed_this_once(void **state)
{
    (void)state;
    ANSWERS({GET, REPLY("-ASK 12182 127.0.0.1:1\r\n")}, {GET, OK}, {GET, OK});
    scripted.count = 2;
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    asked_at(1, FIRST);
    assert_true(scripted.questions[1].question.asking && request.detoured);
    scripted.count = 3;
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    asked_at(2, SECOND);
    assert_false(scripted.questions[2].question.asking || request.detoured);
}

static void a_redirect_of_another_slot_is_not_followed(void **state)
{
    static const char *const words[] = {"-MOVED 12181 127.0.0.1:1\r\n", "-MOVED 12182 ?:1\r\n",
                                        "-ASK 12183 127.0.0.1:1\r\n", "-ASK \r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        ANSWERS({GET, REPLY(words[i])});
        assert_int_equal(sent(), JTGI_FATE_ANSWERED);
        assert_non_null(reply);
    }
    assert_int_equal(redirects(), 0);
}

#define TO_FIRST  REPLY("-MOVED 12182 127.0.0.1:1\r\n")
#define TO_SECOND REPLY("-MOVED 12182 127.0.0.1:2\r\n")

static void five_redirects_are_followed(void **state)
{
    (void)state;
    ANSWERS({GET, TO_FIRST}, {GET, TO_SECOND}, {GET, TO_FIRST}, {GET, TO_SECOND}, {GET, TO_FIRST},
            {GET, TO_SECOND});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    assert_int_equal(redirects(), 5);
}

/* Sends that were in vain do not use up the redirects, nor the other way round. */
static void redirects_are_not_counted_as_sends(void **state)
{
    (void)state;
    ANSWERS({GET, TO_FIRST}, {GET, UNSENT}, {GET, UNSENT}, {GET, TO_SECOND}, {GET, UNSENT},
            {GET, OK});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    ANSWERS({GET, TO_FIRST}, {GET, UNSENT}, {GET, UNSENT}, {GET, UNSENT}, {GET, UNSENT});
    begin(SLOT_HIGH);
    assert_int_equal(sent(), JTGI_FATE_NOT_SENT);
}

/* ---- a slot that is being moved, and what must have been kept ---- */

#define ASK_OVER REPLY("-ASK 12182 127.0.0.1:1\r\n")

static void need(int64_t kept_since_ms)
{
    begin(SLOT_HIGH);
    request.watched = true;
    request.kept_since_ms = kept_since_ms;
}

/* The old node says so by the marker of the slot; the new one by that of a slot of its own. */
static void what_is_needed_must_be_kept_on_both(void **state)
{
    (void)state;
    need(1000);
    ANSWERS({GET, ASK_OVER, .sight = JTGI_SIGHT_KEPT, .since_ms = 1000}, {GET, OK});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    assert_int_equal(scripted.questions[0].question.slot, SLOT_HIGH);
    assert_true(scripted.questions[1].question.slot < JTGI_SLOTS / 2);
    assert_true(scripted.questions[1].question.watched);

    need(999);
    ANSWERS({GET, ASK_OVER, .sight = JTGI_SIGHT_KEPT, .since_ms = 1000});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    need(1000);
    ANSWERS({GET, ASK_OVER, .sight = JTGI_SIGHT_ELSEWHERE});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    need(JTGI_KEPT_ANY);
    ANSWERS({GET, ASK_OVER, .sight = JTGI_SIGHT_ELSEWHERE}, {GET, OK});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    assert_int_equal(scripted.questions[1].question.slot, SLOT_HIGH);
}

/* ---- others may serve ---- */

/* The map is young, and says that nobody else has the slot: after a moment it may. */
static void three_times_somebody_may_have_taken_over(void **state)
{
    (void)state;
    ANSWERS({GET, REPLY("-CLUSTERDOWN x\r\n")}, {GET, REPLY("-READONLY x\r\n")}, {GET, OK});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    ANSWERS({GET, REPLY("-CLUSTERDOWN x\r\n")}, {GET, REPLY("-CLUSTERDOWN x\r\n")},
            {GET, REPLY("-CLUSTERDOWN x\r\n")}, {GET, REPLY("-CLUSTERDOWN x\r\n")});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    assert_non_null(reply);
}

/* Whoever asks a certain node, to walk over it, is not sent to another. */
static void a_pinned_node_is_the_only_one(void **state)
{
    struct jtgi_node *node = jtgi_nodes_at_slot(&scripted.redis->route.nodes, SLOT_LOW);
    (void)state;
    request.node = node;
    ANSWERS({GET, OK});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    asked_at(0, FIRST);
    assert_true(request.answered_by == node->serial);
    ANSWERS({GET, TO_SECOND});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    ANSWERS({GET, REPLY("-CLUSTERDOWN x\r\n")});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    ANSWERS({GET, UNSENT}, {GET, UNSENT, .down = true});
    assert_int_equal(sent(), JTGI_FATE_NOT_SENT);
    assert_int_equal(redirects(), 0);
    assert_int_equal(node->refs, 2); /* the list's and ours */
    jtgi_nodes_let_go(&scripted.redis->route.nodes, node);
}

static void every_node_that_was_asked_is_let_go(void **state)
{
    struct jtgi_node *held[JTG_REDIS_NODES_LIMIT];
    (void)state;
    need(1000);
    ANSWERS({GET, TO_FIRST}, {GET, TO_SECOND},
            {GET, ASK_OVER, .sight = JTGI_SIGHT_KEPT, .since_ms = 2000});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    unsigned count = jtgi_nodes_hold_all(&scripted.redis->route.nodes, held);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(held[i]->refs, 2);
    jtgi_nodes_let_go_all(&scripted.redis->route.nodes, held, count);
}

/* ---- scripts, and what is said ---- */

static void a_script_goes_by_its_digest_and_then_whole(void **state)
{
    struct jtgi_stored_key key = {.bytes = "k", .len = 1};
    struct jtgi_word_list words = {.keys = 1};
    (void)state;
    jtgi_words_add(&words, "k2", 2);
    jtgi_words_add(&words, "v", 1);
    ANSWERS({"EVALSHA hold 2 k k2 v ", REPLY("-NOSCRIPT x\r\n")},
            {"EVAL hold 2 k k2 v ", REPLY(":1\r\n")});
    assert_int_equal(jtgi_request_script(&request, JTGI_SCRIPT_HOLD, &key, &words, &reply),
                     JTGI_FATE_ANSWERED);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
    scripted_answers_done();
    ANSWERS({"EVALSHA hold ", REPLY(NULL)}); /* left out: nothing is known of the script */
    assert_int_equal(jtgi_request_script(&request, JTGI_SCRIPT_HOLD, &key, &words, &reply),
                     JTGI_FATE_ANSWERED);
    assert_null(reply);
}

static void only_a_write_needs_replicas(void **state)
{
    (void)state;
    ANSWERS({GET, OK, .unconfirmed = true});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    assert_true(jtgi_request_is_confirmed(&request));
    request.writes = true;
    assert_false(jtgi_request_is_confirmed(&request));
    assert_status(jtgi_request_say_unconfirmed(&request), JTG_ERR_REPLICAS);
    assert_int_equal(scripted_answers_stats().too_few_replicas, 1);
}

/* An error is its row's; what is none is the caller's to name. */
static void a_refusal_is_told_with_its_server(void **state)
{
    redisReply error = {.type = REDIS_REPLY_ERROR, .str = (char[]){"OOM x"}, .len = 5};
    redisReply odd = {.type = REDIS_REPLY_INTEGER};
    (void)state;
    ANSWERS({GET, OK});
    assert_int_equal(sent(), JTGI_FATE_ANSWERED);
    assert_status(jtgi_request_reject(&request, &error, JTG_ERR_TIMEOUT), JTG_ERR_FULL);
    assert_non_null(strstr(scripted.err.text, SECOND));
    scripted.err.text[0] = '\0';
    assert_status(jtgi_request_reject(&request, &odd, JTG_ERR_TIMEOUT), JTG_ERR_TIMEOUT);
    assert_non_null(strstr(scripted.err.text, "not asked for"));
}

#define ONE(name)     cmocka_unit_test_setup_teardown(name, open_one, close_cache)
#define CLUSTER(name) cmocka_unit_test_setup_teardown(name, open_cluster, close_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(what_was_not_sent_is_sent_again),
        ONE(it_is_sent_four_times_at_most),
        ONE(what_cannot_help_is_not_tried),
        ONE(a_moment_later_is_tried_again),
        ONE(without_time_nothing_is_sent),
        ONE(a_read_is_asked_once_more),
        ONE(one_server_does_not_redirect),
        CLUSTER(moved_is_followed_and_remembered),
        CLUSTER(ask_is_followed_this_once),
        CLUSTER(a_redirect_of_another_slot_is_not_followed),
        CLUSTER(five_redirects_are_followed),
        CLUSTER(redirects_are_not_counted_as_sends),
        CLUSTER(what_is_needed_must_be_kept_on_both),
        CLUSTER(three_times_somebody_may_have_taken_over),
        CLUSTER(a_pinned_node_is_the_only_one),
        CLUSTER(every_node_that_was_asked_is_let_go),
        ONE(a_script_goes_by_its_digest_and_then_whole),
        ONE(only_a_write_needs_replicas),
        CLUSTER(a_refusal_is_told_with_its_server),
    };
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
