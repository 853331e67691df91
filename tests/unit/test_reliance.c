/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/reliance.h"

#include "core/fork.h"
#include "redis/say/slots/slots.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct jtgi_identity server_a = {"RA", "HA", 0, 0, JTGI_NO_EPOCH};
static const struct jtgi_identity server_b = {"RB", "HB", 0, 0, JTGI_NO_EPOCH};

static struct jtgi_redis_config config_of(const char *host, uint32_t port)
{
    struct jtgi_redis_config config = {.prefix_len = 2};
    config.options.host = host;
    config.options.port = port;
    config.options.prefix = "p:";
    return config;
}

static struct jtgi_reliance *open_store(const char *host, uint32_t port)
{
    struct jtgi_redis_config config = config_of(host, port);
    struct jtgi_reliance *reliance = jtgi_reliance_of(&config, 1);
    assert_non_null(reliance);
    return reliance;
}

static struct jtgi_who who(const struct jtgi_identity *identity)
{
    struct jtgi_who made;
    jtgi_who_of(&made, identity);
    return made;
}

static int64_t elsewhere(const struct jtgi_reliance *reliance, const struct jtgi_identity *identity)
{
    struct jtgi_who own = who(identity);
    return jtgi_reliance_elsewhere_locked(reliance, 0, &own).monotonic_ms;
}

static void note(struct jtgi_reliance *reliance, const struct jtgi_identity *identity, int64_t ms)
{
    struct jtgi_who own = who(identity);
    struct jtgi_moment now = {ms, 1000000 + ms};
    jtgi_reliance_note_locked(reliance, 0, &own, now);
}

static void nobody_was_relied_on(void **state)
{
    struct jtgi_reliance *reliance = open_store("nobody", 1);
    (void)state;
    assert_true(elsewhere(reliance, &server_a) == JTGI_NEVER);
    jtgi_reliance_let_go(reliance, false);
}

static void ones_own_use_is_not_elsewhere(void **state)
{
    struct jtgi_reliance *reliance = open_store("own", 1);
    (void)state;
    note(reliance, &server_a, 100);
    assert_true(elsewhere(reliance, &server_a) == JTGI_NEVER);
    assert_int_equal(elsewhere(reliance, &server_b), 100);
    jtgi_reliance_let_go(reliance, false);
}

/* There and back, and there again: each time the last use of the others counts. */
static void the_last_use_of_any_other_counts(void **state)
{
    struct jtgi_reliance *reliance = open_store("alternating", 1);
    (void)state;
    note(reliance, &server_a, 100);
    note(reliance, &server_b, 200);
    assert_int_equal(elsewhere(reliance, &server_a), 200);
    assert_int_equal(elsewhere(reliance, &server_b), 100);
    note(reliance, &server_a, 300);
    assert_int_equal(elsewhere(reliance, &server_b), 300);
    assert_int_equal(elsewhere(reliance, &server_a), 200);
    jtgi_reliance_let_go(reliance, false);
}

/* Of two that are noted in another order than they were judged the later one stays. */
static void the_later_of_two_stays(void **state)
{
    struct jtgi_reliance *reliance = open_store("order", 1);
    (void)state;
    note(reliance, &server_a, 500);
    note(reliance, &server_a, 100);
    assert_int_equal(elsewhere(reliance, &server_b), 500);
    note(reliance, &server_b, 200);
    note(reliance, &server_a, 300);
    assert_int_equal(elsewhere(reliance, &server_b), 500);
    jtgi_reliance_let_go(reliance, false);
}

/* A wall clock that was a day ahead then and is right now, or was right then and is ahead now: the
 * moment is no later than either says. */
static void a_moment_is_told_by_the_wall_clock(void **state)
{
    struct jtgi_moment then = {1000, 50000};
    struct jtgi_moment now = {1500, 50500};
    (void)state;
    assert_int_equal(jtgi_moment_wall_ms(then, now), 50000);
    now.wall_ms -= 10000; /* it was set back by ten seconds */
    assert_int_equal(jtgi_moment_wall_ms(then, now), 40000);
    now.wall_ms += 20000; /* ahead */
    assert_int_equal(jtgi_moment_wall_ms(then, now), 50000);
}

/* Every part of an identity makes another one. */
static void another_identity_is_somebody_else(void **state)
{
    struct jtgi_identity others[] = {server_a, server_a, server_a, server_a, server_a};
    struct jtgi_who own = who(&server_a);
    (void)state;
    others[0].run_id[0] = 'X';
    others[1].replication_id[0] = 'X';
    others[2].database = 1;
    others[3].evicted_keys = 1;
    others[4].epoch = 1;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct jtgi_who other = who(&others[i]);
        assert_memory_not_equal(own.bytes, other.bytes, sizeof own.bytes);
    }
}

/* Caches of one store share it, and one that is made after the last was freed still knows. */
static void it_outlives_the_caches(void **state)
{
    struct jtgi_reliance *one = open_store("shared", 1);
    struct jtgi_reliance *two = open_store("shared", 1);
    (void)state;
    assert_ptr_equal(one, two);
    note(one, &server_a, 100);
    jtgi_reliance_let_go(one, false);
    jtgi_reliance_let_go(two, false);
    struct jtgi_reliance *three = open_store("shared", 1);
    assert_int_equal(elsewhere(three, &server_b), 100);
    jtgi_reliance_let_go(three, false);
}

static void each_store_has_its_own(void **state)
{
    struct jtgi_redis_config config = config_of("each", 1);
    struct jtgi_reliance *first = jtgi_reliance_of(&config, 1);
    struct jtgi_redis_config others[] = {config, config, config, config,
                                         config, config, config, config};
    (void)state;
    others[0].options.host = "other";
    others[1].options.port = 2;
    others[2].options.database = 1;
    others[3].options.prefix = "q:";
    others[4].options.host = NULL;
    others[4].options.unix_path = "each";
    others[5].options.host = NULL;
    others[5].options.cluster_nodes = "each";
    others[6].options.host = NULL;
    others[6].options.sentinels = "each";
    others[7].options.address_map = "each=other";
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct jtgi_reliance *other = jtgi_reliance_of(&others[i], 1);
        assert_ptr_not_equal(other, first);
        jtgi_reliance_let_go(other, false);
    }
    config.options.timeout_ms = 5; /* how it is spoken to makes no other store */
    struct jtgi_reliance *same = jtgi_reliance_of(&config, 1);
    assert_ptr_equal(same, first);
    jtgi_reliance_let_go(same, false);
    jtgi_reliance_let_go(first, false);
}

/* A program that makes a store for each of any number of names does not grow for ever; the oldest
 * are forgotten, and those in use never. */
static void only_so_many_unused_are_remembered(void **state)
{
    struct jtgi_reliance *used = open_store("used", 1);
    (void)state;
    note(used, &server_a, 100);
    struct jtgi_reliance *oldest = open_store("oldest", 1);
    note(oldest, &server_a, 100);
    jtgi_reliance_let_go(oldest, false);
    for (uint32_t port = 1; port <= 100; port++)
        jtgi_reliance_let_go(open_store("many", port), false);
    struct jtgi_reliance *again = open_store("oldest", 1);
    assert_true(elsewhere(again, &server_b) == JTGI_NEVER);
    struct jtgi_reliance *still = open_store("used", 1);
    assert_ptr_equal(still, used);
    assert_int_equal(elsewhere(still, &server_b), 100);
    jtgi_reliance_let_go(again, false);
    jtgi_reliance_let_go(still, false);
    jtgi_reliance_let_go(used, false);
}

/* The child waits for no lock of its parent's, which may be held by a thread that it has not. */
static void a_child_begins_anew(void **state)
{
    struct jtgi_reliance *parents = open_store("forked", 1);
    (void)state;
    note(parents, &server_a, 100);
    pthread_mutex_lock(&parents->lock);
    pid_t child = fork();
    if (child == 0) {
        struct jtgi_redis_config config = config_of("forked", 1);
        struct jtgi_reliance *own = jtgi_reliance_of(&config, 1);
        bool anew = own != NULL && own != parents && pthread_mutex_trylock(&own->lock) == 0;
        jtgi_reliance_let_go(parents, true);
        _exit(anew ? 0 : 1);
    }
    int status = -1;
    pthread_mutex_unlock(&parents->lock);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    jtgi_reliance_let_go(parents, false);
}

static void out_of_memory_is_no_store(void **state)
{
    struct jtgi_redis_config config = config_of("memory", 1);
    (void)state;
    jtgi_reliance_let_go(open_store("warm", 1), false);
    alloc_walk_fail_nth(1);
    assert_null(jtgi_reliance_of(&config, JTGI_SLOTS));
    assert_true(alloc_walk_end());
    struct jtgi_reliance *made = jtgi_reliance_of(&config, JTGI_SLOTS);
    assert_non_null(made);
    assert_true(made->relied[JTGI_SLOTS - 1].last.monotonic_ms == JTGI_NEVER);
    jtgi_reliance_let_go(made, false);
    jtgi_reliance_let_go(NULL, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_was_relied_on),
        cmocka_unit_test(ones_own_use_is_not_elsewhere),
        cmocka_unit_test(the_last_use_of_any_other_counts),
        cmocka_unit_test(the_later_of_two_stays),
        cmocka_unit_test(a_moment_is_told_by_the_wall_clock),
        cmocka_unit_test(another_identity_is_somebody_else),
        cmocka_unit_test(it_outlives_the_caches),
        cmocka_unit_test(each_store_has_its_own),
        cmocka_unit_test(only_so_many_unused_are_remembered),
        cmocka_unit_test(a_child_begins_anew),
        cmocka_unit_test(out_of_memory_is_no_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
