/* SPDX-License-Identifier: Apache-2.0 */
/* The lock word: one inside, between threads and between processes; a dead holder's is taken over,
 * a living one's never. The futex calls go through this test, which counts, drops and answers them.
 */
#include "support/asserts.h"
#include "support/threads.h"
#include "table/lock.h"

#include <linux/futex.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ME = 1, OTHER = 2, WAIT_MS = 60, MANY_SLICES = 20, WORKERS = 4, TURNS = 20000 };

/* What the futex calls of this process did, and what is done at the n-th sleep. */
static struct {
    atomic_uint sleeps, wakes, operations;
    bool wakes_are_lost;
    unsigned leave_at; /* 0 = never */
    _Atomic uint32_t *left;
    uint64_t back_at_ms; /* who left it comes back from the sleep then: it was stopped itself */
} futex;

static uint64_t now_ms(void);

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

static bool at_sleep(void)
{
    unsigned sleeps = atomic_fetch_add(&futex.sleeps, 1) + 1;
    if (sleeps != futex.leave_at)
        return false;
    atomic_store(futex.left, 0);
    while (now_ms() < futex.back_at_ms)
        continue;
    return true;
}

static bool is_answered_here(int operation)
{
    int what = operation & FUTEX_CMD_MASK;
    atomic_fetch_or(&futex.operations, 1U << (operation & FUTEX_PRIVATE_FLAG ? 1 : 0));
    if (what == FUTEX_WAIT)
        return at_sleep();
    atomic_fetch_add(&futex.wakes, 1);
    return futex.wakes_are_lost;
}

long __wrap_syscall(long number, ...)
{
    va_list more;
    va_start(more, number);
    void *word = va_arg(more, void *);
    int operation = va_arg(more, int);
    uint32_t value = va_arg(more, uint32_t);
    const struct timespec *timeout = va_arg(more, const struct timespec *);
    va_end(more);
    assert_int_equal(number, SYS_futex);
    return is_answered_here(operation)
               ? 0
               : __real_syscall(number, word, operation, value, timeout, NULL, 0);
}

static int begin(void **state)
{
    (void)state;
    atomic_store(&futex.sleeps, 0);
    atomic_store(&futex.wakes, 0);
    atomic_store(&futex.operations, 0);
    futex.wakes_are_lost = false;
    futex.leave_at = 0;
    futex.back_at_ms = 0;
    return 0;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool yes(void *context, uint32_t word)
{
    *(uint32_t *)context = word;
    return true;
}

static bool no(void *context, uint32_t word)
{
    *(uint32_t *)context = word;
    return false;
}

static void a_word_says_who(void **state)
{
    (void)state;
    uint32_t word = jtgi_lock_word(JTGI_LOCK_PLACE_MAX, UINT32_MAX);
    assert_int_equal(word, ~JTGI_LOCK_WAITERS);
    assert_int_equal(jtgi_lock_place(word), JTGI_LOCK_PLACE_MAX);
    assert_int_equal(jtgi_lock_generation(word | JTGI_LOCK_WAITERS), (1U << 18) - 1);
    word = jtgi_lock_word(4096, 77);
    assert_int_equal(jtgi_lock_place(word | JTGI_LOCK_WAITERS), 4096);
    assert_int_equal(jtgi_lock_generation(word), 77);
    assert_int_equal(jtgi_lock_word(3, 1U << 18), jtgi_lock_word(3, 0));
}

static void a_free_one_is_taken_without_a_call(void **state)
{
    _Atomic uint32_t lock = 0;
    const struct jtgi_lock_party me = {.word = ME};
    (void)state;
    assert_int_equal(jtgi_lock_take(&lock, &me), JTGI_LOCK_TAKEN);
    assert_int_equal(atomic_load(&lock), ME);
    jtgi_lock_leave(&lock, &me);
    assert_int_equal(atomic_load(&lock), 0);
    assert_int_equal(atomic_load(&futex.sleeps) + atomic_load(&futex.wakes), 0);
}

/* The bound is the real clock's, and a holder that is not known to be dead keeps the lock. */
static void a_living_holder_is_waited_for_until_the_bound(void **state)
{
    uint32_t looked_at = 0;
    const struct jtgi_lock_party parties[] = {
        {.word = ME, .wait_ms = WAIT_MS},
        {.word = ME, .wait_ms = WAIT_MS, .shared = true, .is_dead = no, .context = &looked_at},
    };
    (void)state;
    for (size_t i = 0; i < sizeof parties / sizeof parties[0]; i++) {
        _Atomic uint32_t lock = OTHER;
        uint64_t start = now_ms();
        assert_int_equal(jtgi_lock_take(&lock, &parties[i]), JTGI_LOCK_BLOCKED);
        assert_in_range(now_ms() - start, WAIT_MS, WAIT_MS * 50);
        assert_int_equal(atomic_load(&lock), OTHER | JTGI_LOCK_WAITERS);
    }
    assert_int_equal(looked_at, OTHER); /* without the mark */
    assert_in_range(atomic_load(&futex.sleeps), 2, 2 * WAIT_MS);
}

static void without_a_bound_it_waits_on(void **state)
{
    _Atomic uint32_t lock = OTHER;
    const struct jtgi_lock_party me = {.word = ME};
    (void)state;
    futex.leave_at = MANY_SLICES;
    futex.left = &lock;
    assert_int_equal(jtgi_lock_take(&lock, &me), JTGI_LOCK_TAKEN);
    assert_int_equal(atomic_load(&futex.sleeps), MANY_SLICES);
    assert_int_equal(atomic_load(&futex.operations), 1U << 1); /* private */
    assert_int_equal(atomic_load(&lock), ME | JTGI_LOCK_WAITERS);
    jtgi_lock_leave(&lock, &me);
    assert_int_equal(atomic_load(&futex.wakes), 1);
    futex.left = NULL;
}

/* By then it is free, and the bound is over. */
static void who_was_stopped_itself_tries_once_more(void **state)
{
    _Atomic uint32_t lock = OTHER;
    const struct jtgi_lock_party me = {.word = ME, .wait_ms = 2};
    (void)state;
    futex.leave_at = 1;
    futex.left = &lock;
    futex.back_at_ms = now_ms() + 4;
    assert_int_equal(jtgi_lock_take(&lock, &me), JTGI_LOCK_TAKEN);
    assert_int_equal(atomic_load(&lock), ME | JTGI_LOCK_WAITERS);
    futex.left = NULL;
}

static void a_dead_ones_is_inherited(void **state)
{
    _Atomic uint32_t lock = OTHER | JTGI_LOCK_WAITERS;
    uint32_t looked_at = 0;
    const struct jtgi_lock_party me = {
        .word = ME, .shared = true, .wait_ms = 10000, .is_dead = yes, .context = &looked_at};
    (void)state;
    uint64_t start = now_ms();
    assert_int_equal(jtgi_lock_take(&lock, &me), JTGI_LOCK_INHERITED);
    assert_in_range(now_ms() - start, JTGI_LOCK_SLICE_MS, 5000); /* long before the bound */
    assert_int_equal(looked_at, OTHER);
    assert_int_equal(atomic_load(&lock), ME | JTGI_LOCK_WAITERS);
    assert_int_equal(atomic_load(&futex.operations), 1U << 0); /* between processes */
}

/* Without a wait: from a dead one, and from whoever had this process's word before it. */
static void only_a_dead_ones_is_taken_over(void **state)
{
    _Atomic uint32_t lock = 0;
    uint32_t looked_at = 0;
    struct jtgi_lock_party me = {.word = ME};
    (void)state;
    assert_false(jtgi_lock_take_over(&lock, &me));
    lock = OTHER | JTGI_LOCK_WAITERS;
    assert_false(jtgi_lock_take_over(&lock, &me));
    me.context = &looked_at;
    me.is_dead = no;
    assert_false(jtgi_lock_take_over(&lock, &me));
    assert_int_equal(atomic_load(&lock), OTHER | JTGI_LOCK_WAITERS);
    me.is_dead = yes;
    assert_true(jtgi_lock_take_over(&lock, &me));
    assert_int_equal(looked_at, OTHER);
    assert_int_equal(atomic_load(&lock), ME | JTGI_LOCK_WAITERS);
    me.is_dead = no;
    assert_true(jtgi_lock_take_over(&lock, &me));
    assert_int_equal(atomic_load(&futex.sleeps), 0);
}

static void a_bound_below_a_slice_looks_once(void **state)
{
    _Atomic uint32_t lock = OTHER;
    uint32_t looked_at = 0;
    const struct jtgi_lock_party me = {
        .word = ME, .wait_ms = 1, .is_dead = yes, .context = &looked_at};
    (void)state;
    assert_int_equal(jtgi_lock_take(&lock, &me), JTGI_LOCK_INHERITED);
}

/* While a waiter judges the dead one, somebody else inherits and leaves, and a third takes it. */
static bool dead_and_gone(void *context, uint32_t word)
{
    enum { THIRD = 3 };
    if (word == OTHER)
        atomic_store((_Atomic uint32_t *)context, THIRD);
    return word == OTHER;
}

static void who_came_meanwhile_is_not_robbed(void **state)
{
    _Atomic uint32_t lock = OTHER;
    const struct jtgi_lock_party me = {
        .word = ME, .wait_ms = WAIT_MS, .is_dead = dead_and_gone, .context = &lock};
    (void)state;
    assert_int_equal(jtgi_lock_take(&lock, &me), JTGI_LOCK_BLOCKED);
    assert_int_equal(jtgi_lock_place(atomic_load(&lock)), 3);
}

/* ---- threads ---- */

struct shared {
    _Atomic uint32_t lock;
    struct jtgi_lock_party party;
    uint64_t turns; /* under the lock */
    atomic_uint answers[JTGI_LOCK_BLOCKED + 1];
};

static void take_turns(void *context, unsigned thread)
{
    struct shared *shared = context;
    (void)thread;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        enum jtgi_lock_answer answer = jtgi_lock_take(&shared->lock, &shared->party);
        atomic_fetch_add(&shared->answers[answer], 1);
        shared->turns++;
        jtgi_lock_leave(&shared->lock, &shared->party);
    }
}

static void one_thread_is_inside(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        struct shared shared = {.party = {.word = ME}};
        futex.wakes_are_lost = lost;
        threads_run(WORKERS, take_turns, &shared);
        assert_int_equal(shared.turns, WORKERS * TURNS);
        assert_int_equal(atomic_load(&shared.answers[JTGI_LOCK_TAKEN]), WORKERS * TURNS);
        assert_int_equal(atomic_load(&shared.lock), 0);
    }
}

static bool others_are_dead(void *context, uint32_t word)
{
    (void)context;
    return word == OTHER;
}

static void one_of_many_inherits(void **state)
{
    struct shared shared = {.lock = OTHER, .party = {.word = ME, .is_dead = others_are_dead}};
    (void)state;
    threads_run(WORKERS, take_turns, &shared);
    assert_int_equal(shared.turns, WORKERS * TURNS);
    assert_int_equal(atomic_load(&shared.answers[JTGI_LOCK_INHERITED]), 1);
}

/* ---- processes ---- */

static void one_process_is_inside(void **state)
{
    (void)state;
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    pid_t workers[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = fork();
        assert_true(workers[i] >= 0);
        if (workers[i] == 0) {
            struct jtgi_lock_party party = {.word = i + 1, .shared = true, .wait_ms = 60000};
            for (unsigned turn = 0; turn < TURNS; turn++) {
                if (jtgi_lock_take(&shared->lock, &party) != JTGI_LOCK_TAKEN)
                    _exit(1);
                shared->turns++;
                jtgi_lock_leave(&shared->lock, &party);
            }
            _exit(0);
        }
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        int status = 0;
        assert_int_equal(waitpid(workers[i], &status, 0), workers[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(shared->turns, WORKERS * TURNS);
    (void)munmap(shared, sizeof *shared);
}

#define CASE(function) cmocka_unit_test_setup(function, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_word_says_who),
        CASE(a_free_one_is_taken_without_a_call),
        CASE(a_living_holder_is_waited_for_until_the_bound),
        CASE(without_a_bound_it_waits_on),
        CASE(who_was_stopped_itself_tries_once_more),
        CASE(a_dead_ones_is_inherited),
        CASE(only_a_dead_ones_is_taken_over),
        CASE(a_bound_below_a_slice_looks_once),
        CASE(who_came_meanwhile_is_not_robbed),
        CASE(one_thread_is_inside),
        CASE(one_of_many_inherits),
        CASE(one_process_is_inside),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
