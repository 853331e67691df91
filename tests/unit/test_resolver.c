/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "redis/line/resolver.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/host_table.h"
#include "support/impatient.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static jtg_status resolve_by(struct jtgi_resolver *resolver, const char *host, uint32_t port,
                             int64_t deadline_ns, struct addrinfo **addresses)
{
    struct jtgi_lookup *lookup = NULL;
    jtg_status status = jtgi_resolve(resolver, host, port, deadline_ns, &lookup, addresses, NULL);
    assert_null(lookup);
    return status;
}

static jtg_status resolve(const char *host, struct addrinfo **addresses)
{
    struct jtgi_resolver resolver;
    jtgi_resolver_init(&resolver, &jtgi_blocking);
    jtg_status status = resolve_by(&resolver, host, 6379, jtgi_deadline_in_ms(5000), addresses);
    jtgi_resolver_clear(&resolver);
    return status;
}

/* No thread: it works where none can be had. */
static void an_address_needs_no_lookup(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    struct addrinfo *addresses = NULL;
    (void)state;
    alloc_walk_fail_all();
    for (size_t i = 0; i < 2; i++) {
        assert_status(resolve(hosts[i], &addresses), JTG_OK);
        assert_int_equal(addresses->ai_family, i == 0 ? AF_INET : AF_INET6);
        assert_int_equal(addresses->ai_socktype, SOCK_STREAM);
        freeaddrinfo(addresses);
    }
    assert_false(alloc_walk_end());
}

static void a_name_is_looked_up(void **state)
{
    struct addrinfo *addresses = NULL;
    (void)state;
    assert_status(resolve("localhost", &addresses), JTG_OK);
    assert_non_null(addresses);
    freeaddrinfo(addresses);
}

static void a_name_that_is_none_is_unreachable(void **state)
{
    struct addrinfo *addresses = NULL;
    (void)state;
    assert_status(resolve("no such name", &addresses), JTG_ERR_UNAVAILABLE);
    assert_null(addresses);
}

static void a_lookup_is_left_behind_at_the_deadline(void **state)
{
    struct jtgi_resolver resolver;
    struct addrinfo *addresses = NULL;
    (void)state;
    jtgi_resolver_init(&resolver, &jtgi_blocking);
    jtg_status status = resolve_by(&resolver, "localhost", 1, 0, &addresses);
    if (status == JTG_OK)
        freeaddrinfo(addresses); /* it was quicker than a deadline in the past */
    else
        assert_status(status, JTG_ERR_UNAVAILABLE);
    /* Whoever comes next takes the result of the one that was left, or looks anew. */
    assert_status(resolve_by(&resolver, "localhost", 1, jtgi_deadline_in_ms(5000), &addresses),
                  JTG_OK);
    freeaddrinfo(addresses);
    jtgi_resolver_clear(&resolver);
}

/* A look-up goes on by itself; the one who began it comes back for its answer. */
static void who_does_not_wait_comes_back(void **state)
{
    (void)state;
    struct jtgi_lookup *lookup = jtgi_lookup_begin(&impatient, "localhost", 1);
    assert_non_null(lookup);
    while (!jtgi_lookup_await(lookup, jtgi_deadline_in_ms(IMPATIENT_FAR_MS)))
        continue;
    assert_non_null(jtgi_lookup_result(lookup));
    jtgi_lookup_end(lookup);
}

/* With Sentinels and in a Cluster one resolver has many names. */
static void a_lookup_that_was_left_answers_for_its_own_name_only(void **state)
{
    struct jtgi_resolver resolver;
    struct addrinfo *addresses = NULL;
    (void)state;
    jtgi_resolver_init(&resolver, &jtgi_blocking);
    if (resolve_by(&resolver, "localhost", 1, 0, &addresses) == JTG_OK)
        freeaddrinfo(addresses);
    assert_status(resolve_by(&resolver, "no such name", 1, jtgi_deadline_in_ms(5000), &addresses),
                  JTG_ERR_UNAVAILABLE);
    assert_status(resolve_by(&resolver, "localhost", 2, jtgi_deadline_in_ms(5000), &addresses),
                  JTG_OK);
    const struct sockaddr_in *first = (const struct sockaddr_in *)(const void *)addresses->ai_addr;
    assert_int_equal(ntohs(first->sin_port), 2); /* lies there for IPv6 too */
    freeaddrinfo(addresses);
    jtgi_resolver_clear(&resolver);
}

enum { TOGETHER = 8 };

struct asking {
    struct jtgi_resolver *resolver;
    pthread_barrier_t *start;
    pthread_t thread;
    jtg_status status;
    struct addrinfo *addresses;
};

static void *ask(void *context)
{
    struct asking *asking = context;
    (void)pthread_barrier_wait(asking->start);
    asking->status = resolve_by(asking->resolver, "localhost", 6379, jtgi_deadline_in_ms(5000),
                                &asking->addresses);
    return NULL;
}

/* They share a lookup, of which one gets the result: to the others that is no failure. */
static void all_who_ask_together_are_answered(void **state)
{
    struct jtgi_resolver resolver;
    struct asking asking[TOGETHER];
    pthread_barrier_t start;
    (void)state;
    jtgi_resolver_init(&resolver, &jtgi_blocking);
    assert_int_equal(pthread_barrier_init(&start, NULL, TOGETHER), 0);
    for (size_t i = 0; i < TOGETHER; i++) {
        asking[i] = (struct asking){.resolver = &resolver, .start = &start};
        assert_int_equal(pthread_create(&asking[i].thread, NULL, ask, &asking[i]), 0);
    }
    for (size_t i = 0; i < TOGETHER; i++)
        assert_int_equal(pthread_join(asking[i].thread, NULL), 0);
    for (size_t i = 0; i < TOGETHER; i++) {
        assert_status(asking[i].status, JTG_OK);
        assert_non_null(asking[i].addresses);
        freeaddrinfo(asking[i].addresses);
    }
    assert_int_equal(pthread_barrier_destroy(&start), 0);
    jtgi_resolver_clear(&resolver);
}

static void without_memory_there_is_no_lookup(void **state)
{
    struct addrinfo *addresses = NULL;
    (void)state;
    for (unsigned nth = 1; nth <= 3; nth++) {
        alloc_walk_fail_nth(nth);
        assert_status(resolve("localhost", &addresses), JTG_ERR_MEMORY);
        assert_true(alloc_walk_end());
        assert_null(addresses);
    }
}

/* ---- all addresses ---- */

enum { ADDRESSES_MAX = 3 };

struct all {
    struct jtgi_address list[ADDRESSES_MAX];
    unsigned count;
};

static jtg_status find_all(const char *host, struct all *all, jtg_error *err)
{
    struct jtgi_resolver resolver;
    jtgi_resolver_init(&resolver, &jtgi_blocking);
    jtg_status status = jtgi_resolver_all(&resolver, host, 26379, jtgi_deadline_in_ms(5000),
                                          all->list, ADDRESSES_MAX, &all->count, err);
    jtgi_resolver_clear(&resolver);
    return status;
}

static void all_addresses_of_a_name_are_given(void **state)
{
    static const char *const expected[] = {"127.0.0.12", "::1", "127.0.0.11"};
    struct all all;
    (void)state;
    host_table_set("all.test", "127.0.0.12,::1,127.0.0.11");
    assert_status(find_all("all.test", &all, NULL), JTG_OK);
    assert_int_equal(all.count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(all.list[i].host, expected[i]);
        assert_int_equal(all.list[i].port, 26379);
        assert_null(all.list[i].unix_path);
    }
}

static void an_address_stands_for_itself(void **state)
{
    struct all all;
    (void)state;
    assert_status(find_all("127.0.0.7", &all, NULL), JTG_OK);
    assert_int_equal(all.count, 1);
    assert_string_equal(all.list[0].host, "127.0.0.7");
}

/* Some resolvers repeat one; and ::1 has more than one spelling. */
static void an_address_that_comes_twice_is_given_once(void **state)
{
    struct all all;
    (void)state;
    host_table_set("twice.test", "127.0.0.1,::1,127.0.0.1,0:0:0:0:0:0:0:1");
    assert_status(find_all("twice.test", &all, NULL), JTG_OK);
    assert_int_equal(all.count, 2);
}

static void a_part_of_the_addresses_is_not_all(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    struct all all;
    (void)state;
    host_table_set("many.test", "127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4");
    assert_status(find_all("many.test", &all, &err), JTG_ERR_UNSUPPORTED);
    assert_err_tells(&err, JTG_ERR_UNSUPPORTED);
    assert_int_equal(all.count, 0);
    host_table_set("many.test", "");
    assert_status(find_all("many.test", &all, &err), JTG_ERR_UNAVAILABLE);
    assert_int_equal(all.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_needs_no_lookup),
        cmocka_unit_test(a_name_is_looked_up),
        cmocka_unit_test(a_name_that_is_none_is_unreachable),
        cmocka_unit_test(who_does_not_wait_comes_back),
        cmocka_unit_test(a_lookup_is_left_behind_at_the_deadline),
        cmocka_unit_test(a_lookup_that_was_left_answers_for_its_own_name_only),
        cmocka_unit_test(all_who_ask_together_are_answered),
        cmocka_unit_test(without_memory_there_is_no_lookup),
        cmocka_unit_test(all_addresses_of_a_name_are_given),
        cmocka_unit_test(an_address_stands_for_itself),
        cmocka_unit_test(an_address_that_comes_twice_is_given_once),
        cmocka_unit_test(a_part_of_the_addresses_is_not_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
