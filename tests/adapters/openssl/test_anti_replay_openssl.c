/* SPDX-License-Identifier: Apache-2.0 */
/* Early data is accepted once, in both wirings, and every handshake completes: within one process,
 * where the bytes are in the test's hands. Two processes: test_early_data_openssl.c. */
#include "adapters/openssl/tls_ends.h"
#include "support/asserts.h"
#include "support/gated_cache.h"
#include "support/threads.h"
#include "support/ticket_fixture.h"

#include <jtiguard/anti_replay_openssl.h>
#include <jtiguard/memory.h>
#include <jtiguard/ticket_keys_openssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { EARLY_MAX = 512, LIFE_S = 600 };

static const char early[] = "GET /once";

struct fixture {
    struct ticket_fixture *tickets; /* its memory is the store */
    jtg_ticket_keys *keys;
    jtg_anti_replay *anti_replay;
    jtg_anti_replay_openssl_options options;
    struct tls_client client;
    SSL_CTX *servers[2]; /* as two instances */
    bool stores;
};

/* ---- set up ---- */

static SSL_CTX *make_server(struct fixture *fixture)
{
    SSL_CTX *context = tls_server_context();
    SSL_CTX_set_timeout(context, LIFE_S);
    assert_int_equal(SSL_CTX_set_max_early_data(context, EARLY_MAX), 1);
    assert_status(jtg_ticket_keys_openssl_install(context, fixture->keys, NULL), JTG_OK);
    assert_status(
        jtg_anti_replay_openssl_install(context, fixture->anti_replay, &fixture->options, NULL),
        JTG_OK);
    return context;
}

static void make_anti_replay(struct fixture *fixture)
{
    jtg_anti_replay_options options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    options.start_rule = 0; /* the store begins with the test, and nothing was sent before */
    assert_status(
        jtg_anti_replay_new(&fixture->anti_replay, &fixture->tickets->store->base, &options, NULL),
        JTG_OK);
}

static int set_up(void **state, bool stores, bool sealed)
{
    static struct fixture fixture;
    void *tickets = NULL;
    memset(&fixture, 0, sizeof fixture);
    (void)ticket_fixture_set_up(&tickets);
    fixture.tickets = tickets;
    fixture.keys = ticket_fixture_ready(fixture.tickets, 0);
    make_anti_replay(&fixture);
    jtg_anti_replay_openssl_options_init(&fixture.options);
    if (stores)
        fixture.options.sessions = &fixture.tickets->store->base;
    if (sealed)
        fixture.options.session_keys = fixture.keys;
    fixture.stores = stores;
    tls_client_init(&fixture.client);
    for (size_t i = 0; i < 2; i++)
        fixture.servers[i] = make_server(&fixture);
    *state = &fixture;
    return 0;
}

static int set_up_tickets(void **state)
{
    return set_up(state, false, false);
}

static int set_up_sessions(void **state)
{
    return set_up(state, true, false);
}

static int set_up_sealed(void **state)
{
    return set_up(state, true, true);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    void *tickets = fixture->tickets;
    tls_client_clear(&fixture->client);
    for (size_t i = 0; i < 2; i++)
        SSL_CTX_free(fixture->servers[i]);
    jtg_anti_replay_free(fixture->anti_replay);
    return ticket_fixture_tear_down(&tickets);
}

/* ---- helpers ---- */

static SSL_SESSION *get_ticket(struct fixture *fixture)
{
    struct tls_outcome outcome =
        tls_connect(&fixture->client, fixture->servers[0], TLS1_3_VERSION, NULL, NULL);
    assert_true(outcome.completed && !outcome.resumed);
    SSL_SESSION *ticket = tls_client_take(&fixture->client, 0);
    assert_non_null(ticket);
    return ticket;
}

static struct tls_outcome send_early(struct fixture *fixture, unsigned server, SSL_SESSION *ticket)
{
    struct tls_outcome outcome =
        tls_connect(&fixture->client, fixture->servers[server], TLS1_3_VERSION, ticket, early);
    assert_true(outcome.completed);
    return outcome;
}

static void refuses(SSL_CTX *server, const struct tls_flight *flight)
{
    struct tls_outcome outcome = tls_replay(server, flight);
    assert_true(outcome.completed);
    assert_false(outcome.early);
    assert_int_equal(outcome.early_read, 0);
}

static uint64_t counted(const struct fixture *fixture, jtg_flight_reason reason)
{
    return jtg_anti_replay_counter(fixture->anti_replay, reason);
}

/* ---- cases of both wirings ---- */

static void early_data_once(void **state)
{
    struct fixture *fixture = *state;
    SSL_SESSION *ticket = get_ticket(fixture);
    struct tls_outcome outcome = send_early(fixture, 1, ticket);
    assert_true(outcome.early && outcome.resumed);
    assert_int_equal(outcome.early_read, strlen(early));
    for (unsigned i = 0; i < 4; i++)
        refuses(fixture->servers[i % 2], &fixture->client.first);
    assert_int_equal(counted(fixture, JTG_FLIGHT_FIRST), 1);
    assert_int_equal(counted(fixture, JTG_FLIGHT_REPLAYED), fixture->stores ? 0 : 4);
    SSL_SESSION_free(ticket);
}

/* The client itself uses a ticket twice: the second time without early data, and all is well. */
static void a_ticket_used_twice(void **state)
{
    struct fixture *fixture = *state;
    SSL_SESSION *ticket = get_ticket(fixture);
    assert_true(send_early(fixture, 0, ticket).early);
    struct tls_outcome outcome = send_early(fixture, 1, ticket);
    assert_false(outcome.early);
    assert_int_equal(outcome.resumed, !fixture->stores);
    SSL_SESSION_free(ticket);
}

/* Each ticket is good once, also those of a connection that was itself resumed. */
static void a_chain_of_tickets(void **state)
{
    struct fixture *fixture = *state;
    SSL_SESSION *ticket = get_ticket(fixture);
    for (unsigned i = 0; i < 6; i++) {
        assert_true(send_early(fixture, i % 2, ticket).early);
        SSL_SESSION_free(ticket);
        assert_true(fixture->client.count > 0);
        ticket = tls_client_take(&fixture->client, fixture->client.count - 1);
        refuses(fixture->servers[0], &fixture->client.first);
    }
    SSL_SESSION_free(ticket);
}

static void both_tickets_of_a_connection(void **state)
{
    struct fixture *fixture = *state;
    SSL_SESSION *first = get_ticket(fixture);
    SSL_SESSION *second = tls_client_take(&fixture->client, 1);
    assert_non_null(second);
    assert_true(send_early(fixture, 0, first).early);
    assert_true(send_early(fixture, 1, second).early);
    assert_int_equal(counted(fixture, JTG_FLIGHT_FIRST), 2);
    SSL_SESSION_free(first);
    SSL_SESSION_free(second);
}

/* The copy comes first: then it is the client whose early data is refused. */
static void a_copy_comes_first(void **state)
{
    struct fixture *fixture = *state;
    SSL_SESSION *ticket = get_ticket(fixture);
    struct tls_flight flight;
    tls_capture(&fixture->client, ticket, early, &flight);
    struct tls_outcome outcome = tls_replay(fixture->servers[0], &flight);
    assert_true(outcome.completed && outcome.early);
    assert_int_equal(outcome.early_read, strlen(early));
    assert_false(send_early(fixture, 1, ticket).early);
    refuses(fixture->servers[1], &flight);
    SSL_SESSION_free(ticket);
}

/* Any answer that is not "not seen" refuses the early data; the handshake completes. */
static void the_store_does_not_answer(void **state)
{
    static const jtg_operation operations[] = {JTG_OP_RESERVE, JTG_OP_TAKE, JTG_OP_PUT};
    struct fixture *fixture = *state;
    struct gated_cache *store = fixture->tickets->store;
    for (size_t i = 0; i < (fixture->stores ? 3U : 1U); i++) {
        SSL_SESSION *ticket = get_ticket(fixture);
        store->operation = operations[i];
        store->answer = i % 2 == 0 ? JTG_ERR_UNAVAILABLE : JTG_ERR_TIMEOUT;
        struct tls_outcome outcome = send_early(fixture, 0, ticket);
        assert_int_equal(outcome.resumed, operations[i] != JTG_OP_TAKE);
        assert_int_equal(outcome.early, operations[i] == JTG_OP_PUT);
        store->answer = JTG_OK;
        /* What was not recorded could yet be accepted, once. */
        bool later = tls_replay(fixture->servers[1], &fixture->client.first).early;
        assert_false(outcome.early && later);
        refuses(fixture->servers[0], &fixture->client.first);
        SSL_SESSION_free(ticket);
    }
    assert_int_equal(counted(fixture, JTG_FLIGHT_STORE_UNAVAILABLE), 1);
}

/* The record was made and only the answer was lost: refused then, and afterwards. */
static void the_answer_is_lost(void **state)
{
    struct fixture *fixture = *state;
    struct gated_cache *store = fixture->tickets->store;
    SSL_SESSION *ticket = get_ticket(fixture);
    store->operation = JTG_OP_RESERVE;
    store->answer = JTG_ERR_TIMEOUT;
    store->acts_all_the_same = true;
    assert_false(send_early(fixture, 0, ticket).early);
    store->answer = JTG_OK;
    refuses(fixture->servers[1], &fixture->client.first);
    assert_int_equal(counted(fixture, JTG_FLIGHT_FIRST), 0);
    SSL_SESSION_free(ticket);
}

struct race {
    SSL_CTX *const *servers;
    const struct tls_flight *flight;
    _Atomic unsigned accepted, completed;
};

static void replay_one(void *context, unsigned index)
{
    struct race *race = context;
    struct tls_outcome outcome = tls_replay(race->servers[index % 2], race->flight);
    atomic_fetch_add(&race->accepted, outcome.early ? 1 : 0);
    atomic_fetch_add(&race->completed, outcome.completed ? 1 : 0);
}

static void copies_at_once(void **state)
{
    enum { COPIES = 8, TIMES = 8 };
    struct fixture *fixture = *state;
    struct tls_flight flight;
    for (unsigned i = 0; i < TIMES; i++) {
        SSL_SESSION *ticket = get_ticket(fixture);
        tls_capture(&fixture->client, ticket, early, &flight);
        struct race race = {.servers = fixture->servers, .flight = &flight};
        threads_run(COPIES, replay_one, &race);
        assert_int_equal(race.accepted, 1);
        assert_int_equal(race.completed, COPIES);
        SSL_SESSION_free(ticket);
    }
}

static void tls_1_2_resumes(void **state)
{
    struct fixture *fixture = *state;
    struct tls_outcome outcome =
        tls_connect(&fixture->client, fixture->servers[0], TLS1_2_VERSION, NULL, NULL);
    assert_true(outcome.completed && !outcome.resumed);
    for (unsigned i = 0; i < 3; i++) {
        SSL_SESSION *session = tls_client_take(&fixture->client, 0);
        outcome = tls_connect(&fixture->client, fixture->servers[1], TLS1_2_VERSION, session, NULL);
        assert_true(outcome.completed && outcome.resumed);
        SSL_SESSION_free(session);
    }
}

/* The first ClientHello offers a group that the server does not take: early data is refused. */
static void after_a_hello_retry(void **state)
{
    struct fixture *fixture = *state;
    SSL_SESSION *ticket = get_ticket(fixture);
    char offered[] = "X25519:P-256";
    char taken[] = "P-256";
    assert_int_equal(SSL_CTX_set1_groups_list(fixture->client.context, offered), 1);
    assert_int_equal(SSL_CTX_set1_groups_list(fixture->servers[1], taken), 1);
    struct tls_outcome outcome = send_early(fixture, 1, ticket);
    assert_false(outcome.early);
    assert_int_equal(outcome.resumed, !fixture->stores);
    SSL_SESSION_free(ticket);
}

/* ---- the program's own part ---- */

struct program {
    unsigned generated, opened, allowed, told, kept;
    int allow;
    char seen[16];
    jtg_flight_reason reason;
};

static int generate(SSL *ssl, void *context)
{
    struct program *program = context;
    void *data = NULL;
    size_t len = 0;
    program->generated++;
    (void)SSL_SESSION_get0_ticket_appdata(SSL_get_session(ssl), &data, &len);
    if (len == 0)
        return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), "user=anna", 9);
    if (len == 9 && memcmp(data, "user=anna", len) == 0)
        program->kept++; /* of the ticket before */
    return 1;
}

static SSL_TICKET_RETURN decrypt(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                 size_t name_len, SSL_TICKET_STATUS status, void *context)
{
    struct program *program = context;
    void *data = NULL;
    size_t len = 0;
    (void)ssl;
    (void)name;
    (void)name_len;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    program->opened++;
    (void)SSL_SESSION_get0_ticket_appdata(session, &data, &len);
    memset(program->seen, 0, sizeof program->seen);
    if (len < sizeof program->seen)
        memcpy(program->seen, data, len);
    return SSL_TICKET_RETURN_USE_RENEW;
}

static int allow(SSL *ssl, void *context)
{
    struct program *program = context;
    (void)ssl;
    program->allowed++;
    return program->allow;
}

static void told(SSL *ssl, const jtg_flight_decision *decision, const jtg_error *err, void *context)
{
    struct program *program = context;
    (void)ssl;
    (void)err;
    program->told++;
    program->reason = decision->reason;
}

static void chain(struct fixture *fixture, struct program *program)
{
    jtg_anti_replay_openssl_options *options = &fixture->options;
    if (!fixture->stores) {
        options->generate = generate;
        options->decrypt = decrypt;
        options->ticket_arg = program;
    }
    options->allow = allow;
    options->allow_arg = program;
    options->told = told;
    options->told_context = program;
    for (size_t i = 0; i < 2; i++)
        assert_status(jtg_anti_replay_openssl_install(fixture->servers[i], fixture->anti_replay,
                                                      options, NULL),
                      JTG_OK);
}

static void the_programs_own_callbacks(void **state)
{
    struct fixture *fixture = *state;
    struct program program = {.allow = 1};
    chain(fixture, &program);
    SSL_SESSION *ticket = get_ticket(fixture);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(send_early(fixture, i % 2, ticket).early);
        assert_int_equal(program.allowed, i + 1);
        assert_int_equal(program.told, i + 1);
        assert_int_equal(program.reason, JTG_FLIGHT_FIRST);
        assert_string_equal(program.seen, fixture->stores ? "" : "user=anna");
        SSL_SESSION_free(ticket);
        ticket = tls_client_take(&fixture->client, 0);
    }
    assert_int_equal(program.opened, fixture->stores ? 0 : 3);
    assert_int_equal(program.generated, fixture->stores ? 0 : program.kept + 1);
    assert_true(fixture->stores || program.kept >= 4);
    program.allow = 0; /* then nothing is recorded */
    assert_false(send_early(fixture, 0, ticket).early);
    assert_int_equal(program.told, 3);
    program.allow = 1;
    if (!fixture->stores)
        assert_true(send_early(fixture, 0, ticket).early);
    SSL_SESSION_free(ticket);
}

/* ---- cases of one wiring ---- */

/* Of a server that shares the keys and has no guard: there is no id to know it by. */
static void a_ticket_without_an_id(void **state)
{
    struct fixture *fixture = *state;
    SSL_CTX *plain = tls_server_context();
    assert_int_equal(SSL_CTX_set_max_early_data(plain, EARLY_MAX), 1);
    (void)SSL_CTX_set_options(plain, SSL_OP_NO_ANTI_REPLAY);
    assert_status(jtg_ticket_keys_openssl_install(plain, fixture->keys, NULL), JTG_OK);
    assert_true(tls_connect(&fixture->client, plain, TLS1_3_VERSION, NULL, NULL).completed);
    SSL_SESSION *ticket = tls_client_take(&fixture->client, 0);
    struct tls_outcome outcome = send_early(fixture, 0, ticket);
    assert_true(outcome.resumed && !outcome.early);
    assert_int_equal(counted(fixture, JTG_FLIGHT_BAD_ARGUMENT), 1);
    SSL_SESSION_free(ticket);
    SSL_CTX_free(plain);
}

/* The keys are gone: a session that was sealed under them is none. */
static void sealed_sessions_need_their_keys(void **state)
{
    struct fixture *fixture = *state;
    SSL_SESSION *ticket = get_ticket(fixture);
    assert_status(jtg_ticket_keys_revoke(fixture->keys, NULL), JTG_OK);
    struct tls_outcome outcome = send_early(fixture, 0, ticket);
    assert_false(outcome.resumed || outcome.early);
    SSL_SESSION_free(ticket);
}

static jtg_value stored(const struct fixture *fixture, SSL_SESSION *ticket)
{
    unsigned char key[20 + 32] = "openssl-session:1.3:";
    const unsigned char *name = NULL;
    size_t len = 0;
    jtg_value value = JTG_VALUE_INIT;
    SSL_SESSION_get0_ticket(ticket, &name, &len);
    assert_int_equal(len, 32);
    memcpy(key + 20, name, len);
    jtg_key wanted = {key, sizeof key, NULL, 0};
    assert_status(jtg_cache_get(fixture->options.sessions, &wanted, &value, NULL), JTG_OK);
    return value;
}

static bool holds_secret(const jtg_value *value, SSL_SESSION *ticket)
{
    unsigned char secret[64];
    size_t len = SSL_SESSION_get_master_key(ticket, secret, sizeof secret);
    assert_true(len >= 32);
    return memmem(value->data, value->data_len, secret, len) != NULL;
}

/* In clear it is found, so the search works. */
static void the_secret_in_the_store(void **state)
{
    struct fixture *fixture = *state;
    SSL_SESSION *ticket = get_ticket(fixture);
    jtg_value value = stored(fixture, ticket);
    assert_int_equal(holds_secret(&value, ticket), fixture->options.session_keys == NULL);
    assert_true(value.ttl_ms <= LIFE_S * UINT64_C(1000));
    jtg_value_clear(&value);
    SSL_SESSION_free(ticket);
}

/* Whoever can write to the store gives one ticket the session of another, or no session at all. */
static void a_store_that_was_tampered_with(void **state)
{
    struct fixture *fixture = *state;
    SSL_SESSION *ticket = get_ticket(fixture);
    SSL_SESSION *other = tls_client_take(&fixture->client, 1);
    jtg_value value = stored(fixture, other);
    unsigned char key[20 + 32] = "openssl-session:1.3:";
    const unsigned char *name = NULL;
    size_t len = 0;
    SSL_SESSION_get0_ticket(ticket, &name, &len);
    memcpy(key + 20, name, len);
    jtg_key wanted = {key, sizeof key, NULL, 0};
    for (size_t cut = 0; cut < value.data_len; cut += 7) {
        assert_status(jtg_cache_put(fixture->options.sessions, &wanted, value.data,
                                    value.data_len - cut, 60000, 1, NULL),
                      JTG_OK);
        struct tls_outcome outcome = send_early(fixture, 0, ticket);
        assert_false(outcome.resumed || outcome.early);
    }
    jtg_value_clear(&value);
    SSL_SESSION_free(ticket);
    SSL_SESSION_free(other);
}

/* A replica that has not heard of the take becomes the primary: the session is there again. */
static void a_take_that_was_undone(void **state)
{
    struct fixture *fixture = *state;
    SSL_SESSION *ticket = get_ticket(fixture);
    jtg_value value = stored(fixture, ticket);
    unsigned char key[20 + 32] = "openssl-session:1.3:";
    const unsigned char *name = NULL;
    size_t len = 0;
    assert_true(send_early(fixture, 0, ticket).early);
    SSL_SESSION_get0_ticket(ticket, &name, &len);
    memcpy(key + 20, name, len);
    jtg_key wanted = {key, sizeof key, NULL, 0};
    assert_status(jtg_cache_put(fixture->options.sessions, &wanted, value.data, value.data_len,
                                60000, 1, NULL),
                  JTG_OK);
    struct tls_outcome outcome = tls_replay(fixture->servers[1], &fixture->client.first);
    assert_true(outcome.completed && outcome.resumed && !outcome.early);
    assert_int_equal(counted(fixture, JTG_FLIGHT_REPLAYED), 1);
    jtg_value_clear(&value);
    SSL_SESSION_free(ticket);
}

/* A server that frees a connection without SSL_shutdown() gives its last session up. */
static void a_connection_without_an_end(void **state)
{
    struct fixture *fixture = *state;
    fixture->client.unanswered = true;
    SSL_SESSION *kept = get_ticket(fixture);
    SSL_SESSION *dropped = tls_client_take(&fixture->client, 1);
    assert_int_equal(fixture->tickets->store->calls[JTG_OP_DROP], 1);
    struct tls_outcome outcome = send_early(fixture, 1, dropped);
    assert_false(outcome.resumed || outcome.early);
    outcome = send_early(fixture, 1, kept);
    assert_true(outcome.resumed && outcome.early);
    SSL_SESSION_free(kept);
    SSL_SESSION_free(dropped);
}

/* ---- a ClientHello with more tickets than one ---- */

static void put_number(struct tls_flight *flight, size_t bytes, size_t number)
{
    while (bytes-- > 0)
        flight->bytes[flight->len++] = (unsigned char)(number >> (8 * bytes));
}

/* By hand, for no client offers so many: TLS 1.3, P-256, and so many tickets of 32 bytes which
 * nobody knows. Their binders are wrong, but OpenSSL looks for the sessions first. */
static void make_hello(struct tls_flight *flight, size_t tickets, unsigned char random)
{
    static const unsigned char fixed[] = {
        0x00, 0x2b, 0, 3,  2, 3,  4,              /* supported_versions: TLS 1.3 */
        0x00, 0x0a, 0, 4,  0, 2,  0, 0x1d,        /* supported_groups: X25519 */
        0x00, 0x0d, 0, 4,  0, 2,  4, 3,           /* signature_algorithms */
        0x00, 0x2d, 0, 2,  1, 1,                  /* psk_key_exchange_modes: with (EC)DHE */
        0x00, 0x33, 0, 38, 0, 36, 0, 0x1d, 0, 32, /* key_share: 32 bytes follow */
    };
    size_t psk = 2 + tickets * 38 + 2 + tickets * 33;
    size_t extensions = sizeof fixed + 32 + 4 + psk;
    size_t hello = 2 + 32 + 1 + 4 + 2 + 2 + extensions;
    flight->len = 0;
    put_number(flight, 3, 0x160301);
    put_number(flight, 2, hello + 4);
    put_number(flight, 1, 1);
    put_number(flight, 3, hello);
    put_number(flight, 2, 0x0303);
    memset(flight->bytes + flight->len, random, 32);
    flight->len += 32;
    put_number(flight, 1, 0);
    put_number(flight, 4, 0x00021301);
    put_number(flight, 2, 0x0100);
    put_number(flight, 2, extensions);
    memcpy(flight->bytes + flight->len, fixed, sizeof fixed);
    flight->len += sizeof fixed;
    memset(flight->bytes + flight->len, 9, 32);
    flight->len += 32;
    put_number(flight, 2, 0x0029);
    put_number(flight, 2, psk);
    put_number(flight, 2, tickets * 38);
    for (size_t i = 0; i < tickets; i++) {
        put_number(flight, 2, 32);
        memset(flight->bytes + flight->len, (int)(i + 1), 32);
        flight->len += 32;
        put_number(flight, 4, 0);
    }
    put_number(flight, 2, tickets * 33);
    for (size_t i = 0; i < tickets; i++) {
        put_number(flight, 1, 32);
        memset(flight->bytes + flight->len, 7, 32);
        flight->len += 32;
    }
}

static void many_tickets_cost_few_questions(void **state)
{
    struct fixture *fixture = *state;
    struct tls_flight flight;
    const atomic_uint *takes = &fixture->tickets->store->calls[JTG_OP_TAKE];
    make_hello(&flight, 200, 1);
    for (unsigned i = 1; i <= 3; i++) {
        struct tls_outcome outcome = tls_replay(fixture->servers[0], &flight);
        assert_true(outcome.completed && !outcome.resumed);
        assert_int_equal(*takes, 4 * i);
    }
}

/* The bound is of a ClientHello, not of an SSL, which some servers clear and use again. */
static void a_connection_object_used_again(void **state)
{
    struct fixture *fixture = *state;
    struct tls_flight flight;
    const atomic_uint *takes = &fixture->tickets->store->calls[JTG_OP_TAKE];
    SSL *ssl = SSL_new(fixture->servers[0]);
    assert_non_null(ssl);
    for (unsigned i = 1; i <= 3; i++) {
        make_hello(&flight, 10, (unsigned char)i);
        SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_accept_state(ssl);
        assert_int_equal(BIO_write(SSL_get_rbio(ssl), flight.bytes, (int)flight.len), flight.len);
        assert_int_equal(SSL_do_handshake(ssl), -1); /* it waits for the client */
        assert_true(tls_waits_for_client(ssl));
        assert_int_equal(*takes, 4 * i);
        assert_int_equal(SSL_clear(ssl), 1);
    }
    SSL_free(ssl);
}

/* ---- ticket keys of the program's own ---- */

static int own_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                   EVP_MAC_CTX *mac, int encrypt)
{
    static const unsigned char key[32] = "a key of this test and no other";
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string("digest", digest, 0),
        OSSL_PARAM_construct_end(),
    };
    (void)ssl;
    if (encrypt) {
        memset(name, 'n', 16);
        memset(iv, 'i', 16);
    }
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key, iv, encrypt) == 1 &&
           EVP_MAC_init(mac, key, sizeof key, parameters) == 1;
}

/* Its callback asks for no new ticket; with TLS 1.3 there is one all the same, each time. */
static void keys_of_the_program(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(SSL_CTX_set_tlsext_ticket_key_evp_cb(fixture->servers[i], own_key), 1);
    a_chain_of_tickets(state);
}

/* ---- installing ---- */

static jtg_status install(struct fixture *fixture, SSL_CTX *context,
                          const jtg_anti_replay_openssl_options *options)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status =
        jtg_anti_replay_openssl_install(context, fixture->anti_replay, options, &err);
    assert_status(err.status, status);
    assert_int_equal(err.text[0] == '\0', status == JTG_OK);
    return status;
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    (void)session;
    return 0;
}

/* A size that was never set says nothing of how much may be read. */
static void a_size_of_garbage(void **state)
{
    static const size_t sizes[] = {0, 4097, SIZE_MAX / 2, SIZE_MAX};
    struct fixture *fixture = *state;
    SSL_CTX *context = tls_server_context();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        jtg_anti_replay_openssl_options options = JTG_ANTI_REPLAY_OPENSSL_OPTIONS_INIT;
        options.struct_size = sizes[i];
        assert_status(install(fixture, context, &options), JTG_ERR_ARGUMENT);
    }
    SSL_CTX_free(context);
}

static void wrong_arguments(void **state)
{
    struct fixture *fixture = *state;
    jtg_anti_replay_openssl_options options = JTG_ANTI_REPLAY_OPENSSL_OPTIONS_INIT;
    SSL_CTX *context = tls_server_context();
    assert_status(install(fixture, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_anti_replay_openssl_install(context, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    options.struct_size--;
    assert_status(install(fixture, context, &options), JTG_ERR_ARGUMENT);
    jtg_anti_replay_openssl_options_init(&options);
    options.session_keys = fixture->keys;
    assert_status(install(fixture, context, &options), JTG_ERR_ARGUMENT);
    options.session_keys = NULL;
    options.sessions = &fixture->tickets->store->base;
    options.generate = generate;
    assert_status(install(fixture, context, &options), JTG_ERR_ARGUMENT);
    options.generate = NULL;
    SSL_CTX_sess_set_new_cb(context, keep_session);
    assert_status(install(fixture, context, &options), JTG_ERR_ARGUMENT);
    assert_int_equal(SSL_CTX_get_options(context) & (SSL_OP_NO_ANTI_REPLAY | SSL_OP_NO_TICKET), 0);
    options.sessions = NULL;
    (void)SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    assert_status(install(fixture, context, &options), JTG_ERR_ARGUMENT);
    (void)SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
    assert_status(install(fixture, context, &options), JTG_OK);
    SSL_CTX_sess_set_new_cb(context, NULL);
    options.sessions = &fixture->tickets->store->base;
    assert_status(install(fixture, context, &options), JTG_ERR_ARGUMENT); /* it has tickets now */
    jtg_anti_replay_openssl_options_init(NULL);
    SSL_CTX_free(context);
}

/* An option of a later release: refused unless it is at its default. */
static void options_of_a_later_release(void **state)
{
    struct fixture *fixture = *state;
    SSL_CTX *context = tls_server_context();
    struct {
        jtg_anti_replay_openssl_options known;
        unsigned char later[16];
    } options = {JTG_ANTI_REPLAY_OPENSSL_OPTIONS_INIT, {0}};
    options.known.struct_size = sizeof options;
    assert_status(install(fixture, context, &options.known), JTG_OK);
    options.later[15] = 1;
    assert_status(install(fixture, context, &options.known), JTG_ERR_ARGUMENT);
    SSL_CTX_free(context);
}

static void other_modes(void **state)
{
    struct fixture *fixture = *state;
    jtg_anti_replay_options options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    SSL_CTX *context = tls_server_context();
    for (int mode = JTG_ANTI_REPLAY_TIME_WINDOWED; mode <= JTG_ANTI_REPLAY_CLIENT_RANDOM; mode++) {
        jtg_anti_replay *other = NULL;
        options.mode = (jtg_anti_replay_mode)mode;
        assert_status(jtg_anti_replay_new(&other, &fixture->tickets->store->base, &options, NULL),
                      JTG_OK);
        assert_int_equal(jtg_anti_replay_mode_get(other), mode);
        assert_status(jtg_anti_replay_openssl_install(context, other, NULL, NULL),
                      JTG_ERR_ARGUMENT);
        jtg_anti_replay_free(other);
    }
    assert_int_equal(jtg_anti_replay_mode_get(NULL), JTG_ANTI_REPLAY_SINGLE_USE);
    SSL_CTX_free(context);
}

static void the_timeout(void **state)
{
    struct fixture *fixture = *state;
    jtg_anti_replay_openssl_options options = JTG_ANTI_REPLAY_OPENSSL_OPTIONS_INIT;
    SSL_CTX *context = tls_server_context();
    SSL_CTX_set_timeout(context, 10000000);
    assert_status(install(fixture, context, &options), JTG_OK);
    assert_int_equal(SSL_CTX_get_timeout(context), 604800);
    SSL_CTX_free(context);
    context = tls_server_context();
    SSL_CTX_set_timeout(context, 10000000);
    options.sessions = &fixture->tickets->store->base;
    options.session_keys = fixture->keys;
    assert_status(install(fixture, context, &options), JTG_OK);
    assert_int_equal(SSL_CTX_get_timeout(context), TICKET_LIFETIME_S);
    SSL_CTX_free(context);
}

/* A connection that is moved to another context: without a guard there, early data is accepted once
 * at most; with one, once. */
static int to_other_context(SSL *ssl, int *alert, void *other)
{
    if (SSL_set_SSL_CTX(ssl, other) == other)
        return SSL_TLSEXT_ERR_OK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void a_context_for_a_name(void **state)
{
    struct fixture *fixture = *state;
    SSL_CTX *named = tls_server_context();
    assert_status(jtg_ticket_keys_openssl_install(named, fixture->keys, NULL), JTG_OK);
    (void)SSL_CTX_set_tlsext_servername_callback(fixture->servers[0], to_other_context);
    (void)SSL_CTX_set_tlsext_servername_arg(fixture->servers[0], named);
    for (unsigned i = 0; i < 2; i++) {
        SSL_SESSION *ticket = get_ticket(fixture);
        assert_true(send_early(fixture, 0, ticket).early || i == 0);
        refuses(fixture->servers[0], &fixture->client.first);
        refuses(fixture->servers[1], &fixture->client.first);
        SSL_SESSION_free(ticket);
        assert_status(install(fixture, named, &fixture->options), JTG_OK);
    }
    SSL_CTX_free(named);
}

#define IN(wiring, name)                                                                           \
    {                                                                                              \
#name " (" #wiring ")", name, set_up_##wiring, tear_down, NULL                             \
    }
#define IN_BOTH(name) IN(tickets, name), IN(sessions, name), IN(sealed, name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(early_data_once),
        IN_BOTH(a_ticket_used_twice),
        IN_BOTH(a_chain_of_tickets),
        IN_BOTH(both_tickets_of_a_connection),
        IN_BOTH(a_copy_comes_first),
        IN_BOTH(the_store_does_not_answer),
        IN_BOTH(the_answer_is_lost),
        IN_BOTH(copies_at_once),
        IN_BOTH(tls_1_2_resumes),
        IN_BOTH(after_a_hello_retry),
        IN_BOTH(the_programs_own_callbacks),
        IN_BOTH(a_context_for_a_name),
        IN(tickets, a_ticket_without_an_id),
        IN(sealed, sealed_sessions_need_their_keys),
        IN(sealed, the_secret_in_the_store),
        IN(sessions, the_secret_in_the_store),
        IN(sessions, a_store_that_was_tampered_with),
        IN(sealed, a_store_that_was_tampered_with),
        IN(sealed, a_take_that_was_undone),
        IN(sessions, a_connection_without_an_end),
        IN(sessions, many_tickets_cost_few_questions),
        IN(sessions, a_connection_object_used_again),
        IN(tickets, keys_of_the_program),
        IN(tickets, a_size_of_garbage),
        IN(tickets, wrong_arguments),
        IN(tickets, options_of_a_later_release),
        IN(tickets, other_modes),
        IN(tickets, the_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
