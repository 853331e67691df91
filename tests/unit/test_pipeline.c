/* SPDX-License-Identifier: Apache-2.0 */
/* Who goes out with whom, who drives, and who is told what when time runs out. The connection is
 * made by the test, when it has as many callers as it wants in the batch. */
#include "redis/flow/blocking.h"
#include "redis/flow/counts.h"
#include "redis/flow/pipeline.h"
#include "redis/flow/schedule.h"
#include "redis/line/deadline.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/script_words.h"

#include <arpa/inet.h>
#include <jtiguard/backend.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLERS_MAX = 4, ASKS_MAX = 3, LONG_MS = 3000, SHORT_MS = 100 };

#define EXPECT(words)                                                                              \
    {                                                                                              \
        SCRIPT_EXPECT, words, 0                                                                    \
    }
#define EXPECT_SEAL                                                                                \
    {                                                                                              \
        SCRIPT_EXPECT_SEAL, NULL, 0                                                                \
    }

struct fixture {
    struct jtgi_pipeline pipeline;
    struct scripted_server server;
    atomic_uint awaited;   /* commands that must be in the open batch before it is sent */
    jtg_status refusal;    /* what connecting answers, if not JTG_OK */
    int64_t connecting_ns; /* when connecting began last */
    int64_t connect_takes_ns;
    jtg_status standing; /* what those who name the primary answer */
    unsigned asked;      /* how often they were */
    _Atomic uint64_t gains;
    const char *repeatable; /* words whose callers would ask twice; NULL: none */
    atomic_uint lost;       /* connections, of which its owner was told */
    const char *why;
};

struct caller {
    struct fixture *fixture;
    pthread_t thread;
    char command[64];
    bool repeatable;
    uint32_t timeout_ms;
    enum jtgi_fate fate;
    bool over;        /* nothing of it can come to the server later */
    long long answer; /* -1: none */
    long long sum;    /* of its answers, where it asks several questions */
    jtg_error err;
};

static unsigned added_to_open(struct fixture *f)
{
    pthread_mutex_lock(&f->pipeline.lock);
    unsigned added = f->pipeline.open == NULL ? 0 : (unsigned)f->pipeline.open->count;
    pthread_mutex_unlock(&f->pipeline.lock);
    return added;
}

static void await_in_open(struct fixture *f, unsigned count)
{
    while (added_to_open(f) < count)
        (void)poll(NULL, 0, 1);
}

static _Atomic int64_t passed_ns; /* that nobody waited for */

int __real_clock_gettime(clockid_t which, struct timespec *now);
int __wrap_clock_gettime(clockid_t which, struct timespec *now);

int __wrap_clock_gettime(clockid_t which, struct timespec *now)
{
    int result = __real_clock_gettime(which, now);
    int64_t ns = now->tv_nsec + (which == CLOCK_MONOTONIC ? atomic_load(&passed_ns) : 0);
    now->tv_sec += (time_t)(ns / JTGI_NS_PER_S);
    now->tv_nsec = (long)(ns % JTGI_NS_PER_S);
    return result;
}

static jtg_status connect_to_script(void *context, int64_t deadline_ns,
                                    struct jtgi_connection **connection, jtg_error *err)
{
    struct fixture *f = context;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(f->server.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct jtgi_transport transport;
    (void)deadline_ns;
    f->connecting_ns = jtgi_now_ns();
    (void)atomic_fetch_add(&passed_ns, f->connect_takes_ns);
    while (added_to_open(f) < atomic_load(&f->awaited))
        (void)poll(NULL, 0, 1);
    if (f->refusal != JTG_OK)
        return jtg_error_set(err, f->refusal, 0, "the test refuses");
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(fd);
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "no server");
    }
    jtgi_transport_init(&transport, fd, NULL, &jtgi_blocking);
    return jtgi_connection_new(connection, &transport, err);
}

static jtg_status never_known_down(void *context, jtg_error *err)
{
    (void)context;
    (void)err;
    return JTG_OK;
}

static void note_lost(void *context, const struct jtgi_fault *why)
{
    struct fixture *f = context;
    f->why = why->text;
    (void)atomic_fetch_add(&f->lost, 1);
}

static void open_pipeline(struct fixture *f, const struct script_step *steps, size_t count)
{
    memset(f, 0, sizeof *f);
    struct jtgi_pipeline_hooks hooks = {.context = f,
                                        .connect = connect_to_script,
                                        .known_down = never_known_down,
                                        .counters = jtgi_counters_new(JTGI_COUNTERS),
                                        .lost = note_lost};
    assert_non_null(hooks.counters);
    jtgi_pipeline_init(&f->pipeline, &hooks);
    atomic_init(&f->awaited, 1);
    scripted_server_start(&f->server, steps, count);
}

#define OPEN(f, ...)                                                                               \
    const struct script_step steps[] = {__VA_ARGS__};                                              \
    open_pipeline(f, steps, sizeof steps / sizeof steps[0])

static void close_pipeline(struct fixture *f)
{
    jtgi_pipeline_clear(&f->pipeline);
    jtgi_counters_free(f->pipeline.hooks.counters);
    assert_null(scripted_server_end(&f->server));
}

static void *run(void *context)
{
    struct caller *caller = context;
    struct jtgi_answer answer = {.reply = NULL};
    struct jtgi_exchange exchange = {.question = {.bytes = caller->command,
                                                  .len = strlen(caller->command),
                                                  .repeatable = caller->repeatable},
                                     .answer = &answer};
    caller->answer = -1;
    caller->fate = jtgi_pipeline_call(&caller->fixture->pipeline, &exchange,
                                      jtgi_deadline_in_ms(caller->timeout_ms), &caller->err);
    if (caller->fate == JTGI_FATE_ANSWERED && answer.reply->type == REDIS_REPLY_INTEGER)
        caller->answer = answer.reply->integer;
    caller->over = answer.over;
    if (answer.reply != NULL)
        freeReplyObject(answer.reply);
    return NULL;
}

/* A caller that asks several questions at once. */
static void *run_several(void *context)
{
    static const char *const words[ASKS_MAX] = {"*1\r\n$1\r\nx\r\n", "*1\r\n$1\r\ny\r\n",
                                                "*1\r\n$1\r\nz\r\n"};
    struct caller *caller = context;
    struct jtgi_exchange exchanges[ASKS_MAX];
    struct jtgi_answer answers[ASKS_MAX];
    for (unsigned i = 0; i < ASKS_MAX; i++)
        exchanges[i] =
            (struct jtgi_exchange){.question = {.bytes = words[i], .len = strlen(words[i])},
                                   .answer = &answers[i],
                                   .next = i + 1 < ASKS_MAX ? &exchanges[i + 1] : NULL};
    caller->fate = jtgi_pipeline_call(&caller->fixture->pipeline, exchanges,
                                      jtgi_deadline_in_ms(caller->timeout_ms), &caller->err);
    caller->over = answers[0].over && answers[1].over && answers[2].over;
    for (unsigned i = 0; i < ASKS_MAX && caller->fate == JTGI_FATE_ANSWERED; i++) {
        caller->sum = caller->sum * 100 + answers[i].reply->integer;
        freeReplyObject(answers[i].reply);
    }
    return NULL;
}

static void call_several(struct fixture *f, struct caller *caller, uint32_t timeout_ms)
{
    memset(caller, 0, sizeof *caller);
    caller->fixture = f;
    caller->timeout_ms = timeout_ms;
    assert_int_equal(pthread_create(&caller->thread, NULL, run_several, caller), 0);
}

static void call_with(struct fixture *f, struct caller *caller, const char *word,
                      uint32_t timeout_ms)
{
    memset(caller, 0, sizeof *caller);
    caller->fixture = f;
    caller->timeout_ms = timeout_ms;
    caller->repeatable = f->repeatable != NULL && strstr(f->repeatable, word) != NULL;
    (void)snprintf(caller->command, sizeof caller->command, "*1\r\n$%zu\r\n%s\r\n", strlen(word),
                   word);
    assert_int_equal(pthread_create(&caller->thread, NULL, run, caller), 0);
}

/* Start callers one by one, each in the open batch before the next; their words are a, b, c… */
static void call_together(struct fixture *f, struct caller *callers, unsigned count,
                          const uint32_t *timeouts_ms)
{
    static const char *const words[CALLERS_MAX] = {"a", "b", "c", "d"};
    atomic_store(&f->awaited, count);
    for (unsigned i = 0; i < count; i++) {
        call_with(f, &callers[i], words[i], timeouts_ms[i]);
        if (i + 1 < count)
            await_in_open(f, i + 1);
    }
}

static void join(struct caller *callers, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
}

static void each_caller_gets_the_answer_in_its_place(void **state)
{
    static const uint32_t timeouts_ms[] = {LONG_MS, LONG_MS, LONG_MS};
    struct fixture f;
    struct caller callers[3];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT("b"), EXPECT("c"), EXPECT_SEAL,
         SEND(":10\r\n:11\r\n:12\r\n"), SEAL);
    call_together(&f, callers, 3, timeouts_ms);
    join(callers, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(callers[i].fate, JTGI_FATE_ANSWERED);
        assert_int_equal(callers[i].answer, 10 + i);
    }
    assert_int_equal(f.pipeline.max_batch, 3);
    close_pipeline(&f);
}

/* ---- several questions of one caller ---- */

/* Between those of others, in their order. */
static void several_have_each_their_answer(void **state)
{
    struct fixture f;
    struct caller callers[3];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT("x"), EXPECT("y"), EXPECT("z"), EXPECT("b"), EXPECT_SEAL,
         SEND(":10\r\n:11\r\n:12\r\n:13\r\n:14\r\n"), SEAL);
    atomic_store(&f.awaited, 5);
    call_with(&f, &callers[0], "a", LONG_MS);
    await_in_open(&f, 1);
    call_several(&f, &callers[1], LONG_MS);
    await_in_open(&f, 4);
    call_with(&f, &callers[2], "b", LONG_MS);
    join(callers, 3);
    assert_int_equal(callers[0].answer, 10);
    assert_int_equal(callers[1].sum, 111213);
    assert_int_equal(callers[2].answer, 14);
    assert_true(callers[1].over);
    assert_int_equal(f.pipeline.requests, 5);
    assert_int_equal(f.pipeline.max_batch, 5);
    close_pipeline(&f);
}

/* None of them is sent later. */
static void several_leave_the_open_batch_together(void **state)
{
    struct fixture f;
    struct caller callers[3];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT("b"), EXPECT_SEAL, SEND(":10\r\n:14\r\n"), SEAL);
    atomic_store(&f.awaited, 6);
    call_with(&f, &callers[0], "a", LONG_MS);
    await_in_open(&f, 1);
    call_several(&f, &callers[1], SHORT_MS);
    await_in_open(&f, 4);
    call_with(&f, &callers[2], "b", LONG_MS);
    await_in_open(&f, 5);
    join(&callers[1], 1);
    assert_int_equal(callers[1].fate, JTGI_FATE_NOT_SENT);
    atomic_store(&f.awaited, 5);
    join(callers, 1);
    join(&callers[2], 1);
    assert_int_equal(callers[0].answer, 10);
    assert_int_equal(callers[2].answer, 14);
    assert_int_equal(f.pipeline.requests, 2);
    close_pipeline(&f);
}

/* A part of their answers is none: nobody can say to which the rest would have belonged. */
static void several_are_unknown_together(void **state)
{
    struct fixture f;
    struct caller caller;
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("x"), EXPECT("y"), EXPECT("z"), EXPECT_SEAL,
         SEND(":11\r\n:12\r\n:13\r\n"), {SCRIPT_RESET, NULL, 0});
    atomic_store(&f.awaited, 3);
    call_several(&f, &caller, LONG_MS);
    join(&caller, 1);
    assert_int_equal(caller.fate, JTGI_FATE_UNKNOWN);
    assert_int_equal(caller.err.status, JTG_ERR_TIMEOUT);
    assert_true(caller.over);
    close_pipeline(&f);
}

/* ---- deadlines ---- */

/* The first caller drives. Its time ends first; another goes on reading where it stopped. */
static void a_driver_hands_over_when_its_time_is_up(void **state)
{
    static const uint32_t timeouts_ms[] = {SHORT_MS, LONG_MS, LONG_MS};
    struct fixture f;
    struct caller callers[3];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT("b"), EXPECT("c"), EXPECT_SEAL, SEND(":10\r\n:1"),
         WAIT(3 * SHORT_MS), SEND("1\r\n:12\r\n"), SEAL);
    call_together(&f, callers, 3, timeouts_ms);
    join(callers, 3);
    assert_int_equal(callers[0].fate, JTGI_FATE_UNKNOWN);
    assert_int_equal(callers[0].err.status, JTG_ERR_TIMEOUT);
    for (unsigned i = 1; i < 3; i++)
        assert_int_equal(callers[i].answer, 10 + i);
    assert_non_null(f.pipeline.connection);
    close_pipeline(&f);
}

/* Two are enough: whoever has time left gets the answer. */
static void a_driver_hands_over_to_the_only_other(void **state)
{
    static const uint32_t timeouts_ms[] = {SHORT_MS, LONG_MS};
    struct fixture f;
    struct caller callers[2];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT("b"), EXPECT_SEAL, SEND(":10\r\n"), WAIT(3 * SHORT_MS),
         SEND(":11\r\n"), SEAL);
    call_together(&f, callers, 2, timeouts_ms);
    join(callers, 2);
    assert_int_equal(callers[0].fate, JTGI_FATE_UNKNOWN);
    assert_int_equal(callers[1].fate, JTGI_FATE_ANSWERED);
    assert_int_equal(callers[1].answer, 11);
    close_pipeline(&f);
}

static void a_follower_whose_time_is_up_is_not_waited_for(void **state)
{
    static const uint32_t timeouts_ms[] = {LONG_MS, SHORT_MS};
    struct fixture f;
    struct caller callers[2];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT("b"), EXPECT_SEAL, WAIT(3 * SHORT_MS),
         SEND(":10\r\n:11\r\n"), SEAL);
    call_together(&f, callers, 2, timeouts_ms);
    join(callers, 2);
    assert_int_equal(callers[0].answer, 10);
    assert_int_equal(callers[1].fate, JTGI_FATE_UNKNOWN);
    close_pipeline(&f);
}

static void the_last_to_give_up_closes_the_connection(void **state)
{
    static const uint32_t timeouts_ms[] = {SHORT_MS, 2 * SHORT_MS};
    struct fixture f;
    struct caller callers[2];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT("b"), EXPECT_SEAL, SEND(":10\r\n"), CLOSED);
    call_together(&f, callers, 2, timeouts_ms);
    join(callers, 2);
    assert_int_equal(callers[0].fate, JTGI_FATE_UNKNOWN);
    assert_int_equal(callers[1].fate, JTGI_FATE_UNKNOWN);
    assert_null(f.pipeline.connection);
    assert_null(f.pipeline.flying);
    assert_int_equal(f.lost, 1);
    assert_string_equal(f.why, "the server did not answer in time");
    close_pipeline(&f);
}

static void await_in_flight(struct fixture *f)
{
    bool flies = false;
    while (!flies) {
        pthread_mutex_lock(&f->pipeline.lock);
        flies = f->pipeline.flying != NULL && !f->pipeline.sending;
        pthread_mutex_unlock(&f->pipeline.lock);
        (void)poll(NULL, 0, 1);
    }
}

/* Its answer would lie between those of the batches before and behind it, and nobody read it. */
static void who_leaves_before_its_turn_takes_the_connection_along(void **state)
{
    struct fixture f;
    struct caller callers[2];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT_SEAL, EXPECT("b"), EXPECT_SEAL, CLOSED);
    call_with(&f, &callers[0], "a", LONG_MS);
    await_in_flight(&f);
    int64_t began_ns = jtgi_now_ns();
    call_with(&f, &callers[1], "b", SHORT_MS);
    join(callers, 2);
    assert_true(jtgi_now_ns() - began_ns < LONG_MS / 2 * JTGI_NS_PER_MS);
    assert_int_equal(callers[0].fate, JTGI_FATE_UNKNOWN);
    assert_int_equal(callers[1].fate, JTGI_FATE_UNKNOWN);
    assert_null(f.pipeline.connection);
    assert_null(f.pipeline.flying);
    close_pipeline(&f);
}

/* What is sent again while a first copy is on its way comes twice. A server that closes has made an
 * end of it; one that was left because somebody's time was up may yet get it, whoever asked. */
static void only_the_servers_end_is_the_end_of_a_question(void **state)
{
    struct fixture f;
    struct caller callers[2];
    (void)state;
    for (unsigned ends = 0; ends < 2; ends++) {
        OPEN(&f, ACCEPT, EXPECT("a"), EXPECT_SEAL, EXPECT("b"), EXPECT_SEAL,
             {ends ? SCRIPT_RESET : SCRIPT_EXPECT_CLOSE, NULL, 0});
        call_with(&f, &callers[0], "a", LONG_MS);
        await_in_flight(&f);
        call_with(&f, &callers[1], "b", ends ? LONG_MS : SHORT_MS);
        join(callers, 2);
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(callers[i].fate, JTGI_FATE_UNKNOWN);
            assert_int_equal(callers[i].over, ends);
        }
        close_pipeline(&f);
    }
}

/* ---- a wake-up that comes to somebody whose time is up ---- */

/* The one whose next call for a driver goes astray. */
static _Atomic(struct jtgi_pipeline *) waker;

void __real_jtgi_word_wake(jtgi_word *word, int count);
void __wrap_jtgi_word_wake(jtgi_word *word, int count);

/* Did the kernel give it to the one of two sleepers whose time is up in this moment? */
static bool goes_astray(jtgi_word *word)
{
    struct jtgi_pipeline *pipeline = atomic_load(&waker);
    if (pipeline == NULL)
        return false;
    pthread_mutex_lock(&pipeline->lock);
    struct jtgi_batch *batch = pipeline->flying;
    bool astray = batch != NULL && &batch->word == word && batch->waiting == 2 &&
                  atomic_load(word) == JTGI_BATCH_DRIVER_WANTED;
    pthread_mutex_unlock(&pipeline->lock);
    return astray;
}

void __wrap_jtgi_word_wake(jtgi_word *word, int count)
{
    if (goes_astray(word))
        atomic_store(&waker, NULL);
    else
        __real_jtgi_word_wake(word, count);
}

/* Who sends waits for the second. */
static jtg_status hold_until_two(void *context, const struct jtgi_connection *connection,
                                 int64_t deadline_ns)
{
    (void)connection;
    (void)deadline_ns;
    await_in_open(context, 2);
    return JTG_OK;
}

/* The batch of b and c is called for a driver when that of a has ended. b is woken and has no time
 * left: c, which has, would sleep on with nobody to receive for it. */
static void who_has_no_time_to_drive_wakes_another(void **state)
{
    static struct fixture f;
    struct caller callers[3];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT_SEAL, SEND(":10\r\n"), WAIT(SHORT_MS), SEAL, EXPECT("b"),
         EXPECT("c"), EXPECT_SEAL, WAIT(4 * SHORT_MS), SEND(":11\r\n:12\r\n"), SEAL);
    f.pipeline.hooks.still_right = hold_until_two;
    call_with(&f, &callers[0], "a", LONG_MS);
    await_in_flight(&f);
    f.pipeline.connection->use.named_ns -= JTGI_NS_PER_S;
    atomic_store(&waker, &f.pipeline);
    call_with(&f, &callers[1], "b", 3 * SHORT_MS);
    await_in_open(&f, 1);
    call_with(&f, &callers[2], "c", LONG_MS);
    join(callers, 3);
    atomic_store(&waker, NULL);
    assert_int_equal(callers[0].answer, 10);
    assert_int_equal(callers[1].fate, JTGI_FATE_UNKNOWN);
    assert_int_equal(callers[2].answer, 12);
    close_pipeline(&f);
}

/* ---- a connection that nobody used for a while ---- */

static void call_two_on_an_idle_connection(struct fixture *f, struct caller callers[3])
{
    call_with(f, &callers[0], "a", LONG_MS);
    join(callers, 1);
    f->pipeline.hooks.still_right = hold_until_two;
    f->pipeline.connection->use.named_ns -= JTGI_NS_PER_S;
    f->pipeline.connection->use.used_ns -= JTGI_NS_PER_S;
    call_with(f, &callers[1], "b", 8 * SHORT_MS);
    await_in_open(f, 1);
    call_with(f, &callers[2], "c", 8 * SHORT_MS);
    join(callers + 1, 2);
}

/* Nothing comes for half of their time, and both would ask again: it is given up for both. */
static void all_who_ask_twice_give_an_idle_connection_up_at_half(void **state)
{
    struct fixture f;
    struct caller callers[3];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT_SEAL, SEND(":10\r\n"), SEAL, EXPECT("b"), EXPECT("c"),
         EXPECT_SEAL, CLOSED);
    f.repeatable = "bc";
    int64_t began_ns = jtgi_now_ns();
    call_two_on_an_idle_connection(&f, callers);
    assert_true(jtgi_now_ns() - began_ns < 8 * SHORT_MS * JTGI_NS_PER_MS);
    assert_int_equal(callers[1].fate, JTGI_FATE_UNKNOWN);
    assert_int_equal(callers[2].fate, JTGI_FATE_UNKNOWN);
    assert_null(f.pipeline.connection);
    assert_string_equal(f.why, "nothing came on a connection that had been idle");
    close_pipeline(&f);
}

static void one_who_may_not_ask_twice_keeps_all_of_the_time(void **state)
{
    struct fixture f;
    struct caller callers[3];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT_SEAL, SEND(":10\r\n"), SEAL, EXPECT("b"), EXPECT("c"),
         EXPECT_SEAL, WAIT(6 * SHORT_MS), SEND(":11\r\n:12\r\n"), SEAL);
    f.repeatable = "b";
    call_two_on_an_idle_connection(&f, callers);
    assert_int_equal(callers[1].answer, 11);
    assert_int_equal(callers[2].answer, 12);
    close_pipeline(&f);
}

/* The same when it came later, and flies behind on the same connection. */
static void nor_does_one_that_flies_behind_lose_its_time(void **state)
{
    struct fixture f;
    struct caller callers[3];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT_SEAL, SEND(":10\r\n"), SEAL, EXPECT("b"), EXPECT_SEAL,
         EXPECT("c"), WAIT(6 * SHORT_MS), SEND(":11\r\n"), SEAL, EXPECT_SEAL, SEND(":12\r\n"),
         SEAL);
    f.repeatable = "b";
    call_with(&f, &callers[0], "a", LONG_MS);
    join(callers, 1);
    f.pipeline.connection->use.used_ns -= JTGI_NS_PER_S;
    call_with(&f, &callers[1], "b", 8 * SHORT_MS);
    await_in_flight(&f);
    call_with(&f, &callers[2], "c", 8 * SHORT_MS);
    join(callers + 1, 2);
    assert_int_equal(callers[1].answer, 11);
    assert_int_equal(callers[2].answer, 12);
    close_pipeline(&f);
}

/* What was not sent when its caller left is taken out: it is never done behind its back. */
static void a_command_whose_caller_left_is_not_sent(void **state)
{
    struct fixture f;
    struct caller callers[3];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT("c"), EXPECT_SEAL, SEND(":10\r\n:12\r\n"), SEAL);
    atomic_store(&f.awaited, CALLERS_MAX); /* more than there are: the driver waits */
    call_with(&f, &callers[0], "a", LONG_MS);
    await_in_open(&f, 1);
    call_with(&f, &callers[1], "b", SHORT_MS);
    await_in_open(&f, 2);
    call_with(&f, &callers[2], "c", LONG_MS);
    join(&callers[1], 1);
    assert_int_equal(callers[1].fate, JTGI_FATE_NOT_SENT);
    assert_int_equal(callers[1].err.status, JTG_ERR_UNAVAILABLE);
    atomic_store(&f.awaited, 3);
    join(&callers[0], 1);
    join(&callers[2], 1);
    assert_int_equal(callers[0].answer, 10);
    assert_int_equal(callers[2].answer, 12);
    close_pipeline(&f);
}

static void a_failure_to_connect_is_told_to_all(void **state)
{
    static const uint32_t timeouts_ms[] = {LONG_MS, LONG_MS, LONG_MS};
    struct fixture f;
    struct caller callers[3];
    (void)state;
    OPEN(&f, WAIT(0));
    f.refusal = JTG_ERR_UNSAFE;
    call_together(&f, callers, 3, timeouts_ms);
    join(callers, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(callers[i].fate, JTGI_FATE_NOT_SENT);
        assert_int_equal(callers[i].err.status, JTG_ERR_UNSAFE);
        assert_string_equal(callers[i].err.text, "the test refuses");
    }
    close_pipeline(&f);
}

/* Two batches are in flight; the first is cut, so nothing is known of the second either. */
static void a_cut_ends_every_batch_in_flight(void **state)
{
    struct fixture f;
    struct caller callers[2];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT_SEAL, EXPECT("b"), EXPECT_SEAL, SEND(":10\r\n"),
         {SCRIPT_CLOSE, NULL, 0});
    call_with(&f, &callers[0], "a", LONG_MS);
    while (f.pipeline.hooks.counters != NULL &&
           jtgi_counters_read(f.pipeline.hooks.counters, JTGI_COUNT_BATCHES) == 0)
        (void)poll(NULL, 0, 1);
    call_with(&f, &callers[1], "b", LONG_MS);
    join(callers, 2);
    assert_int_equal(callers[0].fate, JTGI_FATE_UNKNOWN);
    assert_int_equal(callers[1].fate, JTGI_FATE_UNKNOWN);
    assert_int_equal(jtgi_counters_read(f.pipeline.hooks.counters, JTGI_COUNT_POISONED), 1);
    assert_int_equal(f.lost, 1);
    assert_string_equal(f.why, "the server closed the connection");
    close_pipeline(&f);
}

static jtg_status is_still_right(void *context, const struct jtgi_connection *connection,
                                 int64_t deadline_ns)
{
    struct fixture *f = context;
    (void)connection;
    (void)deadline_ns;
    f->asked++;
    return f->standing;
}

static long long ask(struct fixture *f, const char *word)
{
    struct caller caller;
    call_with(f, &caller, word, LONG_MS);
    join(&caller, 1);
    return caller.answer;
}

/* One that is never idle would stay for as long as an old primary goes on as one. */
static void a_busy_connection_is_asked_about_too(void **state)
{
    struct fixture f;
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT_SEAL, SEND(":10\r\n"), SEAL, EXPECT("b"), EXPECT_SEAL,
         SEND(":11\r\n"), SEAL, EXPECT("c"), EXPECT_SEAL, SEND(":12\r\n"), SEAL, CLOSED, ACCEPT,
         EXPECT("d"), EXPECT_SEAL, SEND(":13\r\n"), SEAL);
    f.pipeline.hooks.still_right = is_still_right;
    assert_int_equal(ask(&f, "a"), 10);
    assert_int_equal(ask(&f, "b"), 11);
    assert_int_equal(f.asked, 0); /* connecting has asked */
    f.pipeline.connection->use.named_ns -= JTGI_NS_PER_S;
    assert_int_equal(ask(&f, "c"), 12);
    assert_int_equal(f.asked, 1);
    f.pipeline.connection->use.named_ns -= JTGI_NS_PER_S;
    f.standing = JTG_ERR_UNAVAILABLE;
    assert_int_equal(ask(&f, "d"), 13);
    assert_int_equal(f.asked, 2);
    close_pipeline(&f);
}

/* Twice a second: a guard's smallest margin is a second. */
static void it_is_asked_about_after_half_a_second(void **state)
{
    struct fixture f;
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT_SEAL, SEND(":10\r\n"), SEAL, EXPECT("b"), EXPECT_SEAL,
         SEND(":11\r\n"), SEAL);
    f.pipeline.hooks.still_right = is_still_right;
    int64_t before_ns = jtgi_now_ns();
    assert_int_equal(ask(&f, "a"), 10);
    /* Named when that was asked, not when the answer was there. */
    assert_true(f.pipeline.connection->use.named_ns >= before_ns);
    assert_true(f.pipeline.connection->use.named_ns <= f.connecting_ns);
    f.pipeline.connection->use.named_ns = jtgi_now_ns() - JTGI_NS_PER_S / 2;
    assert_int_equal(ask(&f, "b"), 11);
    assert_int_equal(f.asked, 1);
    close_pipeline(&f);
}

/* It was frozen, and the one after it is in use by now. Commands that came meanwhile have nothing
 * to do with when its name was asked for. */
static void a_connection_that_took_long_is_asked_about_before_its_first_batch(void **state)
{
    struct fixture f;
    struct caller caller;
    (void)state;
    OPEN(&f, ACCEPT, CLOSED, ACCEPT, EXPECT("b"), EXPECT_SEAL, SEND(":11\r\n"), SEAL);
    f.pipeline.hooks.still_right = is_still_right;
    f.standing = JTG_ERR_UNAVAILABLE;
    f.connect_takes_ns = JTGI_NS_PER_S / 2;
    call_with(&f, &caller, "a", LONG_MS);
    join(&caller, 1);
    assert_int_equal(caller.fate, JTGI_FATE_NOT_SENT);
    assert_int_equal(f.asked, 1);
    assert_null(f.pipeline.connection);
    f.standing = JTG_OK;
    assert_int_equal(ask(&f, "b"), 11);
    assert_int_equal(f.asked, 2);
    close_pipeline(&f);
}

static void a_server_that_was_given_slots_gets_a_new_connection(void **state)
{
    struct fixture f;
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT_SEAL, SEND(":10\r\n"), SEAL, EXPECT("b"), EXPECT_SEAL,
         SEND(":11\r\n"), SEAL, CLOSED, ACCEPT, EXPECT("c"), EXPECT_SEAL, SEND(":12\r\n"), SEAL,
         EXPECT("d"), EXPECT_SEAL, SEND(":13\r\n"), SEAL);
    f.pipeline.hooks.gains = &f.gains;
    assert_int_equal(ask(&f, "a"), 10);
    assert_int_equal(ask(&f, "b"), 11);
    atomic_fetch_add(&f.gains, 1);
    assert_int_equal(ask(&f, "c"), 12);
    assert_int_equal(ask(&f, "d"), 13);
    close_pipeline(&f);
}

static void without_memory_nothing_is_sent(void **state)
{
    struct fixture f;
    struct caller caller = {.fixture = &f, .command = "*1\r\n$1\r\na\r\n", .timeout_ms = LONG_MS};
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT_SEAL, SEND(":10\r\n"), SEAL);
    for (unsigned nth = 1; nth <= 3; nth++) {
        alloc_walk_fail_nth(nth);
        (void)run(&caller);
        assert_true(alloc_walk_end());
        assert_int_equal(caller.fate, JTGI_FATE_NOT_SENT);
        assert_int_equal(caller.err.status, JTG_ERR_MEMORY);
        memset(&caller.err, 0, sizeof caller.err);
    }
    (void)run(&caller);
    assert_int_equal(caller.answer, 10);
    close_pipeline(&f);
}

/* A batch on a retired connection that hangs must not keep those of the next one waiting: whoever
 * is first on its connection is called, and nobody else. */
static void each_connection_has_a_turn(void **state)
{
    static struct jtgi_connection retired;
    static struct jtgi_connection current;
    struct jtgi_batch last = {.connection = &current, .waiting = 1};
    struct jtgi_batch next = {.connection = &current, .waiting = 1, .next = &last};
    struct jtgi_batch behind = {.connection = &retired, .waiting = 1, .next = &next};
    struct jtgi_batch hangs = {.connection = &retired, .waiting = 1, .next = &behind};
    struct jtgi_pipeline pipeline = {.flying = &hangs, .flying_count = 4};
    struct jtgi_endings endings = {.wake_count = 0};
    (void)state;
    hangs.driven = true;
    jtgi_call_next_locked(&pipeline, &endings);
    assert_int_equal(next.word, JTGI_BATCH_DRIVER_WANTED);
    assert_int_equal(behind.word, JTGI_BATCH_WAITING);
    assert_int_equal(last.word, JTGI_BATCH_WAITING);
    assert_int_equal(endings.wake_count, 1);
}

/* ---- threads and processes that go away ---- */

static unsigned in_flight(struct fixture *f)
{
    pthread_mutex_lock(&f->pipeline.lock);
    unsigned count = f->pipeline.flying_count;
    pthread_mutex_unlock(&f->pipeline.lock);
    return count;
}

/* It takes its role to the end, and is cancelled when it is back. */
static void a_cancelled_thread_leaves_no_role_behind(void **state)
{
    static const uint32_t timeouts_ms[] = {LONG_MS, LONG_MS};
    struct fixture f;
    struct caller callers[2];
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT("b"), EXPECT_SEAL, WAIT(SHORT_MS), SEND(":10\r\n:11\r\n"),
         SEAL);
    call_together(&f, callers, 2, timeouts_ms);
    while (in_flight(&f) == 0)
        (void)poll(NULL, 0, 1);
    assert_int_equal(pthread_cancel(callers[0].thread), 0);
    join(callers, 2);
    assert_int_equal(callers[0].fate, JTGI_FATE_ANSWERED);
    assert_int_equal(callers[1].answer, 11);
    close_pipeline(&f);
}

/* What a thread of the parent may hold half changed at the fork is not touched: here the batch
 * that fills, of which the child would free what is no memory at all. */
static int clear_in_child(struct jtgi_pipeline *pipeline)
{
    int fd = pipeline->connection->transport.fd;
    pipeline->open = (struct jtgi_batch *)(void *)pipeline; /* half changed */
    jtgi_pipeline_clear_in_child(pipeline);
    return write(fd, "", 1) == -1 ? 0 : 1;
}

static void a_child_frees_nothing_that_was_in_use(void **state)
{
    static const uint32_t timeouts_ms[] = {LONG_MS};
    struct fixture f;
    struct caller caller;
    int ended = -1;
    (void)state;
    OPEN(&f, ACCEPT, EXPECT("a"), EXPECT_SEAL, WAIT(SHORT_MS), SEND(":10\r\n"), SEAL);
    call_together(&f, &caller, 1, timeouts_ms);
    while (in_flight(&f) == 0)
        (void)poll(NULL, 0, 1);
    pthread_mutex_lock(&f.pipeline.lock);
    pid_t child = fork();
    if (child == 0)
        _exit(clear_in_child(&f.pipeline));
    pthread_mutex_unlock(&f.pipeline.lock);
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    join(&caller, 1);
    assert_int_equal(caller.answer, 10);
    close_pipeline(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_caller_gets_the_answer_in_its_place),
        cmocka_unit_test(several_have_each_their_answer),
        cmocka_unit_test(several_leave_the_open_batch_together),
        cmocka_unit_test(several_are_unknown_together),
        cmocka_unit_test(a_driver_hands_over_when_its_time_is_up),
        cmocka_unit_test(a_driver_hands_over_to_the_only_other),
        cmocka_unit_test(a_follower_whose_time_is_up_is_not_waited_for),
        cmocka_unit_test(the_last_to_give_up_closes_the_connection),
        cmocka_unit_test(who_leaves_before_its_turn_takes_the_connection_along),
        cmocka_unit_test(only_the_servers_end_is_the_end_of_a_question),
        cmocka_unit_test(who_has_no_time_to_drive_wakes_another),
        cmocka_unit_test(all_who_ask_twice_give_an_idle_connection_up_at_half),
        cmocka_unit_test(one_who_may_not_ask_twice_keeps_all_of_the_time),
        cmocka_unit_test(nor_does_one_that_flies_behind_lose_its_time),
        cmocka_unit_test(a_command_whose_caller_left_is_not_sent),
        cmocka_unit_test(a_failure_to_connect_is_told_to_all),
        cmocka_unit_test(a_cut_ends_every_batch_in_flight),
        cmocka_unit_test(a_busy_connection_is_asked_about_too),
        cmocka_unit_test(it_is_asked_about_after_half_a_second),
        cmocka_unit_test(a_connection_that_took_long_is_asked_about_before_its_first_batch),
        cmocka_unit_test(a_server_that_was_given_slots_gets_a_new_connection),
        cmocka_unit_test(without_memory_nothing_is_sent),
        cmocka_unit_test(each_connection_has_a_turn),
        cmocka_unit_test(a_cancelled_thread_leaves_no_role_behind),
        cmocka_unit_test(a_child_frees_nothing_that_was_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
