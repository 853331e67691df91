/* SPDX-License-Identifier: Apache-2.0 */
/* Client sessions in a Redis: two processes' worth of caches share them, each is handed out once,
 * and with a key file the server holds no secret. */
#include "redis/live_server.h"
#include "support/asserts.h"
#include "support/redis_server.h"
#include "support/ticket_fixture.h"

#include <jtiguard/dtls_sessions.h>
#include <jtiguard/redis.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define SECRET "the secret of a session"

static struct redis_server server;
static jtg_cache *caches[2];
static jtg_dtls_sessions *clients[2];
static char key_file[64];

static int start(void **state)
{
    (void)state;
    static const char *const arguments[] = {"--save", "3600", "1", NULL};
    unsigned char key[32];
    jtg_dtls_options options = JTG_DTLS_OPTIONS_INIT;
    redis_server_start(&server, arguments);
    randombytes_buf(key, sizeof key);
    ticket_fixture_key_file(key_file, key, sizeof key, 0600);
    options.key_file = key_file;
    for (int i = 0; i < 2; i++) {
        assert_status(jtg_redis_new_uri(&caches[i], server.uri, NULL), JTG_OK);
        assert_status(jtg_dtls_sessions_new(&clients[i], caches[i], &options, NULL), JTG_OK);
    }
    return 0;
}

static int halt(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        jtg_dtls_sessions_free(clients[i]);
        jtg_cache_free(caches[i]);
    }
    unlink(key_file);
    redis_server_stop(&server);
    return 0;
}

static jtg_endpoint endpoint(void)
{
    jtg_endpoint made = JTG_ENDPOINT_INIT;
    made.host = "server.example";
    made.port = 5684;
    return made;
}

static jtg_dtls_fate store(int client, const char *ticket, uint32_t lifetime_s)
{
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    jtg_endpoint to = endpoint();
    jtg_dtls_fate fate = JTG_DTLS_NOT_STORED;
    session.ticket = ticket;
    session.ticket_len = strlen(ticket);
    session.secret = SECRET;
    session.secret_len = strlen(SECRET);
    session.lifetime_s = lifetime_s;
    assert_status(jtg_dtls_sessions_store(clients[client], &to, &session, &fate, NULL), JTG_OK);
    return fate;
}

static void one_client_stores_and_the_other_uses(void **state)
{
    (void)state;
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    jtg_endpoint to = endpoint();
    assert_int_equal(store(0, "one", 600), JTG_DTLS_STORED);
    assert_int_equal(store(1, "one", 600), JTG_DTLS_DUPLICATE);
    assert_status(jtg_dtls_sessions_take(clients[1], &to, &session, NULL), JTG_OK);
    assert_int_equal(session.secret_len, strlen(SECRET));
    assert_memory_equal(session.secret, SECRET, strlen(SECRET));
    assert_in_range(session.left_ms, 1, 600000);
    assert_true(session.age_ms < 600000);
    jtg_dtls_session_clear(&session);
    assert_status(jtg_dtls_sessions_take(clients[0], &to, &session, NULL), JTG_NOT_FOUND);
    assert_int_equal(store(0, "one", 600), JTG_DTLS_DUPLICATE);
}

/* A bounded wait for the server to be back: calls fail while it is known to be down. */
static jtg_status take_when_back(void)
{
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    jtg_endpoint to = endpoint();
    jtg_status status = JTG_ERR_UNAVAILABLE;
    for (int i = 0; status == JTG_ERR_UNAVAILABLE && i < 5000; i++) {
        status = jtg_dtls_sessions_take(clients[1], &to, &session, NULL);
        jtg_dtls_session_clear(&session);
        usleep(1000);
    }
    return status;
}

static void a_session_that_a_backup_brought_back_is_not_handed_out(void **state)
{
    (void)state;
    assert_int_equal(store(0, "one", 600), JTG_DTLS_STORED);
    live_tell(&server, "SAVE");
    assert_status(take_when_back(), JTG_OK);
    redis_server_kill(&server); /* the take was not saved */
    redis_server_start_again(&server);
    assert_status(take_when_back(), JTG_ERR_CONTINUITY);
    assert_status(take_when_back(), JTG_NOT_FOUND);
    assert_int_equal(store(0, "two", 600), JTG_DTLS_STORED);
    assert_status(take_when_back(), JTG_OK);
}

static void a_short_life_ends(void **state)
{
    (void)state;
    jtg_endpoint to = endpoint();
    uint32_t live = 1;
    assert_int_equal(store(0, "short", 1), JTG_DTLS_STORED);
    for (int i = 0; live != 0; i++) { /* a bounded wait: the store's clock is real */
        assert_true(i < 5000);
        assert_status(jtg_dtls_sessions_prune(clients[0], &to, &live, NULL), JTG_OK);
        usleep(1000);
    }
    assert_int_equal(store(0, "short", 1), JTG_DTLS_DUPLICATE); /* a late copy */
}

static void a_server_that_is_gone_is_told(void **state)
{
    (void)state;
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    jtg_endpoint to = endpoint();
    jtg_error err = JTG_ERROR_INIT;
    assert_int_equal(store(0, "one", 600), JTG_DTLS_STORED);
    redis_server_kill(&server);
    jtg_status status = jtg_dtls_sessions_take(clients[0], &to, &session, &err);
    assert_true(status == JTG_ERR_UNAVAILABLE || status == JTG_ERR_TIMEOUT);
    assert_err_tells(&err, status);
    assert_null(session.storage);
    redis_server_start_again(&server);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, halt)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_client_stores_and_the_other_uses),
        CASE(a_session_that_a_backup_brought_back_is_not_handed_out),
        CASE(a_short_life_ends),
        CASE(a_server_that_is_gone_is_told),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
