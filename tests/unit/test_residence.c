/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "redis/line/residence.h"
#include "redis/line/resolver.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/host_table.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AGE_S = 60, PATIENCE_MS = 5000 };

#define AGE_NS (AGE_S * JTGI_NS_PER_S)

static const char name[] = "moves.test";
static int listener;
static int fd; /* connected to 127.0.0.1 */

static int start(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    (void)state;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0 && fd >= 0);
    assert_int_equal(listen(listener, 1), 0); /* on a port of the system's choice */
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (const struct sockaddr *)&address, sizeof address);
}

static int halt(void **state)
{
    (void)state;
    (void)close(fd);
    return close(listener);
}

static void settle(struct jtgi_residence *residence, const char *host, uint32_t age_s)
{
    struct jtgi_address address = {.unix_path = NULL};
    assert_true(jtgi_address_set(&address, host, strlen(host), 6379));
    jtgi_residence_init(residence, &jtgi_blocking);
    jtgi_residence_settle(residence, &address, fd, age_s);
}

/* At the moment when it is due, or later; with all the time that a lookup needs. */
static bool is_left(struct jtgi_residence *residence, int64_t late_ns)
{
    int64_t now_ns = residence->due_ns + late_ns;
    return jtgi_residence_is_left(residence, now_ns, now_ns + PATIENCE_MS * JTGI_NS_PER_MS);
}

static bool begins_and_is_left(struct jtgi_residence *residence)
{
    bool at_once = is_left(residence, 0);
    if (residence->lookup == NULL)
        return at_once;
    assert_false(at_once);
    assert_true(jtgi_lookup_await(residence->lookup, jtgi_deadline_in_ms(PATIENCE_MS)));
    return is_left(residence, 0);
}

static void what_cannot_change_is_never_due(void **state)
{
    struct jtgi_residence residence;
    (void)state;
    jtgi_residence_init(&residence, &jtgi_blocking);
    assert_true(residence.due_ns == INT64_MAX);
    settle(&residence, "127.0.0.1", AGE_S);
    assert_true(residence.due_ns == INT64_MAX);
    settle(&residence, name, 0);
    assert_true(residence.due_ns == INT64_MAX);
}

static void a_name_is_due_before_its_age(void **state)
{
    struct jtgi_residence residence;
    int64_t began_ns = jtgi_now_ns();
    (void)state;
    settle(&residence, name, AGE_S);
    int64_t ended_ns = jtgi_now_ns();
    assert_true(residence.due_ns >= began_ns + AGE_NS / 4 * 3);
    assert_true(residence.due_ns <= ended_ns + AGE_NS);
}

static void a_name_that_still_leads_here_is_asked_again_later(void **state)
{
    struct jtgi_residence residence;
    (void)state;
    host_table_set(name, "127.0.0.9,127.0.0.1");
    settle(&residence, name, AGE_S);
    int64_t before_ns = residence.due_ns;
    assert_false(begins_and_is_left(&residence));
    assert_null(residence.lookup);
    assert_true(residence.due_ns >= before_ns + AGE_NS / 4 * 3);
    assert_int_equal(host_table_lookups(), 1);
}

static void a_name_that_leads_elsewhere_is_left(void **state)
{
    struct jtgi_residence residence;
    (void)state;
    host_table_set(name, "127.0.0.2,::1");
    settle(&residence, name, AGE_S);
    assert_true(begins_and_is_left(&residence));
    jtgi_residence_clear(&residence);
}

static void a_name_that_is_not_found_changes_nothing(void **state)
{
    struct jtgi_residence residence;
    (void)state;
    host_table_set(name, "");
    settle(&residence, name, AGE_S);
    int64_t before_ns = residence.due_ns;
    assert_false(begins_and_is_left(&residence));
    assert_true(residence.due_ns > before_ns);
}

/* The lookup hangs until the test lets it go. */
static void a_use_does_not_wait_for_the_lookup(void **state)
{
    struct jtgi_residence residence;
    (void)state;
    host_table_set(name, "127.0.0.2");
    host_table_hold();
    settle(&residence, name, AGE_S);
    for (unsigned uses = 0; uses < 3; uses++)
        assert_false(is_left(&residence, 0));
    assert_non_null(residence.lookup);
    host_table_let_go();
    assert_true(jtgi_lookup_await(residence.lookup, jtgi_deadline_in_ms(PATIENCE_MS)));
    assert_int_equal(host_table_lookups(), 1);
    assert_true(is_left(&residence, 0));
    jtgi_residence_clear(&residence);
}

/* Nobody has used it for an age: what its next use would learn came too late for this one. */
static void a_late_use_waits_for_the_lookup(void **state)
{
    struct jtgi_residence residence;
    int64_t now_ns = jtgi_now_ns();
    (void)state;
    host_table_set(name, "127.0.0.2");
    settle(&residence, name, AGE_S);
    residence.due_ns = now_ns - AGE_NS;
    assert_true(jtgi_residence_is_left(&residence, now_ns, jtgi_deadline_in_ms(PATIENCE_MS)));
    jtgi_residence_clear(&residence);
}

/* A part of its time; and those that come after it do not. */
static void one_late_use_waits_and_no_other(void **state)
{
    struct jtgi_residence residence;
    int64_t now_ns = jtgi_now_ns();
    (void)state;
    host_table_set(name, "127.0.0.2");
    host_table_hold();
    settle(&residence, name, AGE_S);
    residence.due_ns = now_ns - AGE_NS;
    assert_false(jtgi_residence_is_left(&residence, now_ns, now_ns + 200 * JTGI_NS_PER_MS));
    int64_t waited_ns = jtgi_now_ns() - now_ns;
    assert_true(waited_ns >= 50 * JTGI_NS_PER_MS);
    now_ns = jtgi_now_ns();
    assert_false(jtgi_residence_is_left(&residence, now_ns, jtgi_deadline_in_ms(PATIENCE_MS)));
    assert_true(jtgi_now_ns() - now_ns < PATIENCE_MS * JTGI_NS_PER_MS / 4);
    host_table_let_go();
    assert_true(jtgi_lookup_await(residence.lookup, jtgi_deadline_in_ms(PATIENCE_MS)));
    assert_true(jtgi_residence_is_left(&residence, now_ns, now_ns));
    jtgi_residence_clear(&residence);
}

/* Begun by one use, and ended long before the next. */
static void an_old_answer_is_not_believed(void **state)
{
    struct jtgi_residence residence;
    (void)state;
    host_table_set(name, "127.0.0.1");
    settle(&residence, name, AGE_S);
    residence.due_ns = jtgi_now_ns();
    (void)jtgi_residence_is_left(&residence, residence.due_ns, residence.due_ns);
    assert_true(residence.lookup == NULL ||
                jtgi_lookup_await(residence.lookup, jtgi_deadline_in_ms(PATIENCE_MS)));
    host_table_set(name, "127.0.0.2");
    int64_t late_ns = residence.due_ns + 2 * AGE_NS;
    assert_true(
        jtgi_residence_is_left(&residence, late_ns, late_ns + PATIENCE_MS * JTGI_NS_PER_MS));
    jtgi_residence_clear(&residence);
}

static void without_memory_it_stays(void **state)
{
    struct jtgi_residence residence;
    (void)state;
    host_table_set(name, "127.0.0.2");
    settle(&residence, name, AGE_S);
    int64_t before_ns = residence.due_ns;
    alloc_walk_fail_all();
    assert_false(is_left(&residence, 0));
    assert_true(alloc_walk_end());
    assert_null(residence.lookup);
    assert_true(residence.due_ns > before_ns);
    jtgi_residence_clear(&residence);
}

/* ---- a path ---- */

static void make_file(const char *path)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static void a_path_that_is_linked_elsewhere_is_left(void **state)
{
    char folder[] = "/tmp/jtiguard-residence-XXXXXX";
    char files[2][64];
    char link[64];
    struct jtgi_residence residence;
    struct jtgi_address address = {.unix_path = link};
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(files[0], sizeof files[0], "%s/a", folder);
    (void)snprintf(files[1], sizeof files[1], "%s/b", folder);
    (void)snprintf(link, sizeof link, "%s/link", folder);
    make_file(files[0]);
    make_file(files[1]);
    assert_int_equal(symlink(files[0], link), 0);
    jtgi_residence_init(&residence, &jtgi_blocking);
    jtgi_residence_look_at_path(&residence, link);
    jtgi_residence_settle(&residence, &address, -1, AGE_S);
    assert_true(residence.due_ns != INT64_MAX);
    assert_false(is_left(&residence, 0));
    assert_int_equal(unlink(link), 0);
    assert_false(is_left(&residence, 0)); /* gone is not elsewhere */
    assert_int_equal(symlink(files[1], link), 0);
    assert_true(is_left(&residence, 0));
    (void)unlink(link);
    (void)unlink(files[0]);
    (void)unlink(files[1]);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_change_is_never_due),
        cmocka_unit_test(a_name_is_due_before_its_age),
        cmocka_unit_test(a_name_that_still_leads_here_is_asked_again_later),
        cmocka_unit_test(a_name_that_leads_elsewhere_is_left),
        cmocka_unit_test(a_name_that_is_not_found_changes_nothing),
        cmocka_unit_test(a_use_does_not_wait_for_the_lookup),
        cmocka_unit_test(a_late_use_waits_for_the_lookup),
        cmocka_unit_test(one_late_use_waits_and_no_other),
        cmocka_unit_test(an_old_answer_is_not_believed),
        cmocka_unit_test(without_memory_it_stays),
        cmocka_unit_test(a_path_that_is_linked_elsewhere_is_left),
    };
    return cmocka_run_group_tests(tests, start, halt);
}
