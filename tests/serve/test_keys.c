/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of one issuer by themselves: which sets they are, what a reload takes over, and who may
 * wait. What a server can do to them is tried in test_discovery.c. */
#include "serve/keys_server.h"
#include "serve/verify/keys.h"
#include "serve/verify_fixture.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ISSUER "https://issuer.example"
#define KEYS   "/keys"

enum { PATIENCE_MS = 10000 };

static const struct keys_before none = {NULL, NULL};
static struct verify_fixture fixture; /* for its signer, clock and file of keys */
static struct keys_server *server;
static struct keys_rules rules;
static struct keys *keys;
static char place[128];

static int set_up(void **state)
{
    (void)state;
    fixture_init(&fixture);
    server = keys_server_new(false);
    (void)snprintf(place, sizeof place, "%s" KEYS, keys_server_base(server));
    char *jwks = signer_jwks(fixture.signer, FIXTURE_KID);
    fixture_write_keys(&fixture, jwks);
    keys_server_put(server, KEYS, 200, jwks, NULL);
    free(jwks);
    keys = NULL;
    rules = (struct keys_rules){.from = KEYS_FROM_URL,
                                .issuer = ISSUER,
                                .at = place,
                                .fetch = {.timeout_ms = 5000,
                                          .max_bytes = KEYS_MAX_BYTES_DEFAULT,
                                          .allow_loopback_http = true},
                                .max_age_s = 3600,
                                .stale_s = 600,
                                .retry_s = 10,
                                .wait_ms = PATIENCE_MS,
                                .clock = &fixture.as_jtg};
    return 0;
}

static void end(struct keys *ended)
{
    if (ended != NULL)
        keys_stop(ended);
    keys_free(ended);
}

static int tear_down(void **state)
{
    (void)state;
    keys_server_hold(server, KEYS, false);
    end(keys);
    keys_server_free(server);
    fixture_end(&fixture);
    return 0;
}

static struct keys *make(const struct keys_before *before)
{
    struct keys *made = NULL;
    assert_status(keys_new(&made, &rules, before, NULL), JTG_OK);
    assert_non_null(made);
    return made;
}

static void use_file(void)
{
    rules.from = KEYS_FROM_FILE;
    rules.at = fixture.keys_path;
}

static struct keys_status status_of(struct keys *asked)
{
    struct keys_status status;
    keys_status_read(asked, &status);
    return status;
}

/* Until a fetch has ended, well or not. */
static void await_fetches(struct keys *asked, uint64_t count)
{
    struct keys_status status = status_of(asked);
    for (unsigned i = 0; i < PATIENCE_MS && status.fetches + status.fetch_fails < count; i++) {
        (void)poll(NULL, 0, 1);
        status = status_of(asked);
    }
    assert_int_equal(status.fetches + status.fetch_fails, count);
}

static size_t usable(struct keys *asked, uint64_t *seen)
{
    struct jwks *set = keys_get(asked, seen);
    size_t count = set != NULL ? jwks_count(set) : 0;
    jwks_release(set);
    return count;
}

/* ---- of a file ---- */

static void a_file_is_read_at_once_and_never_old(void **state)
{
    (void)state;
    uint64_t seen = 0;
    use_file();
    keys = make(&none);
    assert_int_equal(usable(keys, &seen), 1);
    assert_int_equal(seen, 1);
    test_clock_advance(&fixture.clock, INT64_C(1000) * 86400 * 365);
    assert_int_equal(usable(keys, &seen), 1);
    assert_null(keys_get_newer(keys, seen));
    assert_int_equal(status_of(keys).age_ms, INT64_C(1000) * 86400 * 365);
    assert_int_equal(status_of(keys).fetches, 0);
}

static void nobody_waits_for_a_file(void **state)
{
    (void)state;
    uint64_t seen = 0;
    struct fixture_waiter waiter;
    fixture_waiter_init(&waiter);
    use_file();
    keys = make(&none);
    (void)usable(keys, &seen);
    assert_false(keys_await(keys, seen, &waiter.base));
    assert_int_equal(waiter.pauses, 0);
    assert_int_equal(status_of(keys).waits, 0);
}

static void a_file_that_holds_no_keys(void **state)
{
    (void)state;
    static const char *const contents[] = {"", "[]", "{\"keys\":{}}", "{\"keys\":[]}",
                                           "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}"};
    use_file();
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        jtg_error err = JTG_ERROR_INIT;
        fixture_write_keys(&fixture, contents[i]);
        assert_int_not_equal(keys_new(&keys, &rules, &none, &err), JTG_OK);
        assert_null(keys);
        assert_true(err.text[0] != '\0');
    }
    rules.at = "/nowhere/keys.json";
    assert_int_not_equal(keys_new(&keys, &rules, &none, NULL), JTG_OK);
    assert_null(keys);
}

/* ---- one and the same ---- */

static void which_are_of_one_place(void **state)
{
    (void)state;
    struct keys_rules other = rules;
    keys = make(&none);
    assert_string_equal(keys_issuer(keys), ISSUER);
    assert_true(keys_are_of(keys, &other) && keys_are_like(keys, &other));
    other.token_file = "t";
    assert_true(keys_are_of(keys, &other));
    assert_false(keys_are_like(keys, &other));
    other = rules;
    other.fetch.ca_file = "c";
    assert_true(keys_are_of(keys, &other));
    assert_false(keys_are_like(keys, &other));
    other = rules;
    other.at = NULL;
    assert_false(keys_are_of(keys, &other));
    other = rules;
    other.issuer = ISSUER "/";
    assert_false(keys_are_of(keys, &other));
    other = rules;
    other.owner = JWKS_OF_TRUST_DOMAIN;
    assert_false(keys_are_of(keys, &other));
    other = rules;
    other.from = KEYS_FROM_DISCOVERY;
    assert_false(keys_are_of(keys, &other));
    /* How long they serve does not make them others. */
    other = rules;
    other.stale_s++;
    other.retry_s++;
    assert_true(keys_are_like(keys, &other));
}

/* ---- a reload ---- */

static void what_was_fetched_serves_on_until_its_time(void **state)
{
    (void)state;
    uint64_t seen = 0;
    struct keys *older = make(&none);
    await_fetches(older, 1);
    keys_server_hold(server, KEYS, true);
    test_clock_advance(&fixture.clock, 1000);
    const struct keys_before before = {older, older};
    keys = make(&before);
    end(older);
    assert_int_equal(usable(keys, &seen), 1);
    assert_int_equal(status_of(keys).age_ms, 1000);
    assert_int_equal(status_of(keys).fetches, 1); /* counted in one row */
    test_clock_advance(&fixture.clock, INT64_C(1000) * (3600 + 600 - 1) - 1);
    assert_int_equal(usable(keys, &seen), 1);
    test_clock_advance(&fixture.clock, 1);
    assert_int_equal(usable(keys, &seen), 0);
    assert_int_equal(status_of(keys).keys, 0);
}

static void keys_of_another_place_are_not_taken_over(void **state)
{
    (void)state;
    uint64_t seen = 0;
    struct keys *older = make(&none);
    await_fetches(older, 1);
    keys_server_hold(server, KEYS, true);
    const struct keys_before before = {NULL, older};
    keys = make(&before);
    end(older);
    assert_int_equal(usable(keys, &seen), 0);
    assert_int_equal(status_of(keys).age_ms, -1);
    assert_int_equal(status_of(keys).fetches, 1);
}

static void keys_that_were_stopped_serve_on(void **state)
{
    (void)state;
    uint64_t seen = 0;
    keys = make(&none);
    await_fetches(keys, 1);
    keys_stop(keys);
    keys_stop(keys);
    assert_int_equal(usable(keys, &seen), 1);
    /* And nobody is asked for others, however old they are. */
    test_clock_advance(&fixture.clock, INT64_C(1000) * 3700);
    assert_int_equal(usable(keys, &seen), 1);
    assert_null(keys_get_newer(keys, seen));
    assert_int_equal(keys_server_count(server, KEYS), 1);
}

/* ---- who waits ---- */

/* Keys whose first fetch hangs. */
static uint64_t hang(void)
{
    uint64_t seen = 0;
    keys_server_hold(server, KEYS, true);
    keys = make(&none);
    assert_true(keys_server_await(server, KEYS, 1));
    assert_int_equal(usable(keys, &seen), 0);
    return seen;
}

static void who_waits_is_told_that_a_reload_moved_him(void **state)
{
    (void)state;
    struct fixture_waiter waiter;
    fixture_waiter_init(&waiter);
    uint64_t seen = hang();
    assert_true(keys_await(keys, seen, &waiter.base));
    keys_stop(keys);
    assert_true(fixture_await_wake(&waiter));
    assert_true(waiter.base.moved);
    /* Whoever comes to them now is moved on at once, within the time that he has. */
    int64_t until_ms = waiter.base.until_ms;
    assert_true(keys_await(keys, seen, &waiter.base));
    assert_true(fixture_await_wake(&waiter));
    assert_true(waiter.base.moved);
    assert_int_equal(waiter.base.until_ms, until_ms);
    assert_int_equal(waiter.pauses, 2);
}

static void whose_time_is_up_waits_no_more(void **state)
{
    (void)state;
    struct fixture_waiter waiter;
    fixture_waiter_init(&waiter);
    waiter.base.until_ms = 1; /* long ago */
    uint64_t seen = hang();
    assert_false(keys_await(keys, seen, &waiter.base));
    assert_int_equal(waiter.pauses, 0);
}

static void nobody_waits_once_they_are_hurried(void **state)
{
    (void)state;
    struct fixture_waiter waiter;
    struct fixture_waiter late;
    fixture_waiter_init(&waiter);
    fixture_waiter_init(&late);
    uint64_t seen = hang();
    assert_true(keys_await(keys, seen, &waiter.base));
    keys_hurry(keys);
    assert_true(fixture_await_wake(&waiter));
    assert_false(waiter.base.moved);
    assert_false(keys_await(keys, seen, &late.base));
    assert_int_equal(status_of(keys).waits, 1);
}

/* Between the refusal and the question the keys have come: there is nothing to wait for. */
static void keys_that_have_come_meanwhile(void **state)
{
    (void)state;
    struct fixture_waiter waiter;
    fixture_waiter_init(&waiter);
    uint64_t seen = hang();
    keys_server_hold(server, KEYS, false);
    await_fetches(keys, 1);
    assert_true(keys_await(keys, seen, &waiter.base));
    assert_true(fixture_await_wake(&waiter));
    assert_false(waiter.base.moved);
    struct jwks *newer = keys_get_newer(keys, seen);
    assert_non_null(newer);
    jwks_release(newer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read_at_once_and_never_old),
        TEST(nobody_waits_for_a_file),
        TEST(a_file_that_holds_no_keys),
        TEST(which_are_of_one_place),
        TEST(what_was_fetched_serves_on_until_its_time),
        TEST(keys_of_another_place_are_not_taken_over),
        TEST(keys_that_were_stopped_serve_on),
        TEST(who_waits_is_told_that_a_reload_moved_him),
        TEST(whose_time_is_up_waits_no_more),
        TEST(nobody_waits_once_they_are_hurried),
        TEST(keys_that_have_come_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
