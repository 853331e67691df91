/* SPDX-License-Identifier: Apache-2.0 */
/* What each proxy of docs/proxies.md does with a client that tries, an application that is easily
 * fooled, answers that get lost and instances that end: one test for each cell of the table there.
 *
 * JTIGUARD_TEST_PROXY=nginx runs those of one proxy. */
#include "serve/dpop_client.h"
#include "serve/lossy_relay.h"
#include "serve/proxy_kind.h"
#include "support/asserts.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 30, FEW = 9, ASKERS = 4 };

#define WHOLE   "user-1 of " INSTANCE_ISSUER "\n"
#define NOBODY  " of " INSTANCE_ISSUER "\n"
#define SITE    "https://api.example"
#define BROWSER "https://app.example"

static struct behind_proxy place;
static struct dpop_client client;
static const struct proxy_kind *kind;
static unsigned used; /* jtis so far */

/* ---- asking ---- */

static char *fresh_token(const char *subject)
{
    char *jti = text_of("%s-%u", kind->name, ++used);
    char *token = behind_proxy_token(&place, jti, subject);
    free(jti);
    return token;
}

/* A first use of a token, with these header lines. The answer is the caller's. */
static unsigned ask_once(const char *line, const char *subject, const char *headers,
                         const char *body, struct http_answer *answer)
{
    char *token = fresh_token(subject);
    char *all = text_of("Authorization: Bearer %s\r\n%s", token, headers);
    unsigned status = behind_proxy_ask(&place, line, all, body, answer);
    free(all);
    free(token);
    return status;
}

/* Fresh tokens in turn: how many were not let in. */
static unsigned count_refused(unsigned tokens)
{
    unsigned refused = 0;
    for (unsigned i = 0; i < tokens; i++)
        refused += behind_proxy_show(&place, fresh_token("user-1")) == 200 ? 0 : 1;
    return refused;
}

/* ---- who it is ---- */

/* What a client's Connection names is dropped by the next one on the way: not ours. */
static void identity_is_not_dropped(void **state)
{
    static const char *const lists[] = {
        "Connection: X-JTI-Subject\r\n",
        "Connection: close, x-jti-subject, X-JTI-Issuer\r\n",
        "Connection: keep-alive\r\nConnection: X-JTI-Subject,X-JTI-Issuer\r\n",
        "Connection: X-JTI-Subject, TE\r\nTE: trailers\r\n",
        "Connection: x-request-id, x-original-url, x-forwarded-uri, x-forwarded-method\r\n",
        "Proxy-Connection: X-JTI-Subject\r\n"};
    struct http_answer answer;
    (void)state;
    proxy_kind_need(kind);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        unsigned status = ask_once("GET /", "user-1", lists[i], "", &answer);
        if (status != 200 || strcmp(answer.body, WHOLE) != 0)
            fail_msg("%s: %u, %s", lists[i], status, answer.body != NULL ? answer.body : "");
        http_answer_clear(&answer);
    }
}

/* Whoever has no subject gets none, however the client spells it. */
static void identity_is_not_forged(void **state)
{
    static const char *const spellings[] = {
        "X-JTI-Subject: admin\r\n",
        "x-jti-subject: admin\r\nX-JTI-SUBJECT: admin\r\n",
        "X_JTI_Subject: admin\r\n",
        "x_jti_subject: admin\r\n",
        "X-JTI_Subject: admin\r\n",
        "X_JTI-Issuer: https://evil.example\r\n",
        "X.JTI.Subject: admin\r\n",
        "X~JTI-Subject: admin\r\nX!JTI!Issuer: https://evil.example\r\n",
        "X-JTI-Subject : admin\r\n",
        "X-JTI-Subject: admin\r\nConnection: X-JTI-Subject\r\n",
        "X-JTI-Issuer: https://evil.example\r\nX_JTI_Issuer: https://evil.example\r\n",
        "X-Y: z\r\n X-JTI-Subject: admin\r\n"};
    struct http_answer answer;
    (void)state;
    proxy_kind_need(kind);
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        unsigned before = application_requests(place.application);
        unsigned status = ask_once("GET /", NULL, spellings[i], "", &answer);
        bool passed = status == 200 && strcmp(answer.body, NOBODY) == 0;
        bool stopped = status == 400 && application_requests(place.application) == before;
        if (!passed && !stopped)
            fail_msg("%s: %u, %s", spellings[i], status, answer.body != NULL ? answer.body : "");
        http_answer_clear(&answer);
    }
}

static const char *told(const char *more, const char *headers, struct http_answer *answer)
{
    char *jti = text_of("%s-claim-%u", kind->name, ++used);
    char *token = behind_proxy_token_with(&place, jti, more);
    char *all = text_of("Authorization: Bearer %s\r\n%s", token, headers);
    assert_int_equal(behind_proxy_get(&place, all, answer), 200);
    free(all);
    free(token);
    free(jti);
    return http_header(answer, "X-Told");
}

/* A claim that somebody chose arrives, and whoever has none gets none. Nor does the result of a
 * question that never was. */
static void a_chosen_claim_is_the_token_s(void **state)
{
    static const char *const written[] = {
        "", "X-JTI-Email: admin@evil.example\r\nX-JTI-Result: admitted\r\n",
        "x-jti-email: admin@evil.example\r\nX-JTI-EMAIL: admin@evil.example\r\n",
        "Connection: X-JTI-Email\r\nX-JTI-Email: admin@evil.example\r\n"};
    struct http_answer answer;
    (void)state;
    proxy_kind_need(kind);
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        assert_string_equal(told(",\"email\":\"user@good.example\"", written[i], &answer),
                            "email=user@good.example result=");
        http_answer_clear(&answer);
        assert_string_equal(told("", written[i], &answer), "email= result=");
        http_answer_clear(&answer);
    }
}

/* What is announced to stand behind the body is refused, or stays behind. */
static void announced_trailers_say_nothing(void **state)
{
    struct http_answer answer;
    (void)state;
    proxy_kind_need(kind);
    unsigned before = application_requests(place.application);
    unsigned status = ask_once("POST /", NULL,
                               "Transfer-Encoding: chunked\r\nTrailer: X-JTI-Subject\r\n\r\n"
                               "5\r\nhello\r\n0\r\nX-JTI-Subject: admin\r\n",
                               "", &answer);
    if (status == 200)
        assert_string_equal(answer.body, NOBODY);
    else
        assert_int_equal(status, 400);
    assert_int_equal(application_requests(place.application) - before, status == 200 ? 1 : 0);
    http_answer_clear(&answer);
}

/* ---- what passes unasked ---- */

/* Two requests on one connection, of which the first would have it upgraded. */
static void try_upgrade(const char *line, const char *headers)
{
    static const char second[] = "GET /second HTTP/1.1\r\nHost: api.example\r\n\r\n";
    struct http_answer answer;
    char *token = fresh_token("user-1");
    char *first = text_of("%s HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer %s\r\n%s\r\n",
                          line, token, headers);
    int fd = http_connect(place.port);
    assert_true(fd >= 0);
    assert_true(http_send(fd, first, strlen(first)));
    assert_true(http_read(fd, &answer, false));
    assert_int_not_equal(answer.status, 101);
    assert_true(strncmp(line, "CONNECT", 7) != 0 || answer.status >= 400);
    http_answer_clear(&answer);
    if (http_send(fd, second, strlen(second)) && http_read(fd, &answer, false))
        assert_true(answer.status >= 400);
    http_answer_clear(&answer);
    (void)close(fd);
    free(first);
    free(token);
    assert_int_equal(application_unasked(place.application), 0);
}

static void nothing_is_upgraded(void **state)
{
    (void)state;
    proxy_kind_need(kind);
    unsigned before = application_requests(place.application);
    try_upgrade("GET /", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                         "HTTP2-Settings: AAMAAABkAAQAAP__\r\n");
    try_upgrade("GET /",
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    try_upgrade("GET /", "Connection: keep-alive, Upgrade\r\nUpgrade: TLS/1.0, h2c\r\n");
    assert_in_range(application_requests(place.application) - before, 0, 3);
    before = application_requests(place.application);
    try_upgrade("CONNECT api.example:443", "");
    assert_int_equal(application_requests(place.application), before);
}

/* ---- one request, asked twice ---- */

/* While every answer comes, no proxy and no client inside one repeats a question. */
static void one_request_is_one_question(void **state)
{
    (void)state;
    proxy_kind_need(kind);
    double asked = behind_proxy_decided(&place, "admitted", "admitted");
    assert_int_equal(count_refused(FEW), 0);
    assert_true(behind_proxy_decided(&place, "admitted", "admitted") - asked == FEW);
}

/* An instance admits, and its answer gets lost: the next one is asked, and knows whose it is. */
static void a_lost_answer_is_asked_for_again(void **state)
{
    struct instance *lost = &place.instances[0];
    (void)state;
    proxy_kind_need(kind);
    (void)process_stop(&lost->process, SIGKILL);
    struct lossy_relay *relay = lossy_relay_start(lost->port, place.instances[1].port);
    unsigned before = application_requests(place.application);
    unsigned asked = 0;
    /* Some proxies ask the instances in turn, some by chance. */
    for (int i = 0; i < MANY && (i == 0 || lossy_relay_lost(relay) == 0); i++, asked += FEW)
        assert_int_equal(count_refused(FEW), 0);
    assert_int_equal(application_requests(place.application) - before, asked);
    assert_true(lossy_relay_lost(relay) > 0);
    lossy_relay_stop(relay);
    instance_start_again(lost, place.log_path, place.keys_path, place.more);
}

/* The application takes a request on a connection that was used before, and breaks it. */
static void break_after(const char *line, const char *headers, const char *body)
{
    struct http_answer answer = {.status = 0};
    char *first = fresh_token("user-1");
    char *second = fresh_token("user-1");
    char *good =
        text_of("GET / HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer %s\r\n\r\n", first);
    char *bad = text_of("%s HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer %s\r\n"
                        "Content-Length: %zu\r\n%s\r\n%s",
                        line, second, strlen(body), headers, body);
    int fd = http_connect(place.port);
    unsigned before = application_requests(place.application);
    assert_true(fd >= 0 && http_send(fd, good, strlen(good)) && http_read(fd, &answer, false));
    assert_int_equal(answer.status, 200);
    http_answer_clear(&answer);
    assert_true(http_send(fd, bad, strlen(bad)));
    if (http_read(fd, &answer, false))
        assert_in_range(answer.status, 500, 599);
    http_answer_clear(&answer);
    (void)close(fd);
    assert_int_equal(application_requests(place.application) - before, 2);
    free(bad);
    free(good);
    free(second);
    free(first);
}

static void what_is_admitted_is_handed_on_once(void **state)
{
    (void)state;
    proxy_kind_need(kind);
    for (int i = 0; i < 3; i++) {
        break_after("GET /break", "", "");
        break_after("POST /break", "", "hello");
        break_after("POST /break", "Idempotency-Key: 1\r\n", "");
        break_after("DELETE /break", "", "");
    }
}

/* ---- instances that end ---- */

static void a_dead_instance_costs_no_request(void **state)
{
    (void)state;
    proxy_kind_need(kind);
    for (int i = 1; i < INSTANCES; i++) {
        (void)process_stop(&place.instances[i].process, SIGKILL);
        assert_int_equal(count_refused(MANY), 0);
    }
    for (int i = 1; i < INSTANCES; i++)
        instance_start_again(&place.instances[i], place.log_path, place.keys_path, place.more);
}

struct askers {
    pthread_t threads[ASKERS];
    atomic_bool ends;
    atomic_uint asked;
    atomic_uint refused;
};

static void *keep_asking(void *context)
{
    struct askers *askers = context;
    while (!atomic_load(&askers->ends)) {
        struct http_answer answer;
        char *jti = text_of("%s-rolling-%u", kind->name, atomic_fetch_add(&askers->asked, 1));
        char *token = behind_proxy_token(&place, jti, "user-1");
        char *headers = text_of("Authorization: Bearer %s\r\n", token);
        unsigned status = behind_proxy_get(&place, headers, &answer);
        atomic_fetch_add(&askers->refused, status == 200 ? 0 : 1);
        http_answer_clear(&answer);
        free(headers);
        free(token);
        free(jti);
    }
    return NULL;
}

static void a_rolling_restart_costs_no_request(void **state)
{
    static struct askers askers; /* a failure leaves its threads behind */
    (void)state;
    proxy_kind_need(kind);
    atomic_store(&askers.ends, false);
    atomic_store(&askers.asked, 0);
    atomic_store(&askers.refused, 0);
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&askers.threads[i], NULL, keep_asking, &askers), 0);
    for (int i = 0; i < INSTANCES; i++)
        behind_proxy_restart(&place, i);
    atomic_store(&askers.ends, true);
    for (int i = 0; i < ASKERS; i++)
        (void)pthread_join(askers.threads[i], NULL);
    print_message("%s: %u requests during a rolling restart, %u refused\n", kind->name,
                  atomic_load(&askers.asked), atomic_load(&askers.refused));
    assert_true(atomic_load(&askers.asked) > MANY);
    assert_int_equal(atomic_load(&askers.refused), 0);
}

/* ---- proofs ---- */

static char nonce[64];

static char *proof_for(const char *method, const char *url, const char *more)
{
    const struct dpop_use use = {method, url, nonce[0] != '\0' ? nonce : NULL, (long)time(NULL)};
    char *proof = dpop_client_headers(&client, &use);
    char *headers = text_of("%s%s", proof, more);
    free(proof);
    return headers;
}

static void keep_nonce(struct http_answer *answer)
{
    const char *value = http_header(answer, "DPoP-Nonce");
    assert_non_null(value);
    (void)snprintf(nonce, sizeof nonce, "%s", value);
}

/* The client learns the nonce from the refusal, and again from each answer. */
static void the_nonce_arrives(void **state)
{
    struct http_answer answer;
    (void)state;
    proxy_kind_need(kind);
    nonce[0] = '\0';
    char *first = proof_for("GET", SITE "/", "");
    assert_int_equal(behind_proxy_get(&place, first, &answer), 401);
    assert_non_null(strstr(http_header(&answer, "WWW-Authenticate"), "use_dpop_nonce"));
    keep_nonce(&answer);
    http_answer_clear(&answer);
    char *second = proof_for("GET", SITE "/", "");
    assert_int_equal(behind_proxy_get(&place, second, &answer), 200);
    assert_string_equal(http_header(&answer, "DPoP-Nonce"), nonce);
    assert_string_equal(answer.body, WHOLE);
    http_answer_clear(&answer);
    free(second);
    free(first);
}

static void learn_nonce(void)
{
    struct http_answer answer;
    assert_int_equal(behind_proxy_get(&place, "", &answer), 401);
    keep_nonce(&answer);
    http_answer_clear(&answer);
}

static void a_proof_is_for_method_and_url(void **state)
{
    static const struct {
        const char *line;
        const char *url;
        const char *seen;
        const char *body;
        unsigned status;
    } cases[] = {
        {"POST /orders?x=1", SITE "/orders", "POST /orders 5", "hello", 200},
        {"GET /orders", SITE "/orders", "GET /orders 0", "", 200},
        {"DELETE /orders/7", SITE "/orders/7", "DELETE /orders/7 0", "", 200},
        {"GET /items/[id]?a=[b]", SITE "/items/[id]", "GET /items/[id] 0", "", 200},
        {"GET /a|b^c", SITE "/a|b^c", "GET /a|b^c 0", "", 200},
        {"GET http://api.example/orders", SITE "/orders", "GET /orders 0", "", 200},
        {"POST /orders", SITE "/others", NULL, "hello", 401},
    };
    struct http_answer answer;
    (void)state;
    proxy_kind_need(kind);
    learn_nonce();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *method = text_of("%.*s", (int)strcspn(cases[i].line, " "), cases[i].line);
        char *headers = proof_for(method, cases[i].url, "");
        unsigned status = behind_proxy_ask(&place, cases[i].line, headers, cases[i].body, &answer);
        if (status != cases[i].status)
            fail_msg("%s: %u, %s", cases[i].line, status, http_header(&answer, "X-JTI-Reason"));
        if (status == 200)
            assert_string_equal(http_header(&answer, "X-Seen"), cases[i].seen);
        http_answer_clear(&answer);
        status = behind_proxy_ask(&place, cases[i].line, headers, cases[i].body, &answer);
        assert_int_equal(status, cases[i].status == 200 ? 403 : cases[i].status);
        http_answer_clear(&answer);
        free(headers);
        free(method);
    }
    char *other = proof_for("GET", SITE "/orders", "");
    assert_int_equal(behind_proxy_ask(&place, "POST /orders", other, "hello", &answer), 401);
    http_answer_clear(&answer);
    free(other);
}

/* ---- browsers from other origins ---- */

#define PREFLIGHT                                                                                  \
    "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: "                      \
    "authorization,dpop\r\n"

static void assert_exposed(struct http_answer *answer)
{
    assert_string_equal(http_header(answer, "Access-Control-Allow-Origin"), BROWSER);
    assert_non_null(strstr(http_header(answer, "Access-Control-Expose-Headers"), "DPoP-Nonce"));
    assert_non_null(http_header(answer, "Vary"));
}

static void preflights_are_answered(void)
{
    struct http_answer answer;
    unsigned before = application_requests(place.application);
    assert_int_equal(behind_proxy_ask(&place, "OPTIONS /orders",
                                      "Origin: " BROWSER "\r\n" PREFLIGHT, "", &answer),
                     204);
    assert_string_equal(http_header(&answer, "Access-Control-Allow-Origin"), BROWSER);
    assert_non_null(strstr(http_header(&answer, "Access-Control-Allow-Methods"), "POST"));
    assert_non_null(strstr(http_header(&answer, "Access-Control-Allow-Headers"), "DPoP"));
    http_answer_clear(&answer);
    assert_int_equal(application_requests(place.application), before);
}

/* Another origin, or OPTIONS that is no preflight: asked about as everything is. */
static void other_options_are_asked_about(void)
{
    static const char *const others[] = {"Origin: https://evil.example\r\n" PREFLIGHT, PREFLIGHT,
                                         "Origin: " BROWSER "\r\n", ""};
    struct http_answer answer;
    unsigned before = application_requests(place.application);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(behind_proxy_ask(&place, "OPTIONS /orders", others[i], "", &answer), 401);
        const char *allowed = http_header(&answer, "Access-Control-Allow-Origin");
        assert_true(allowed == NULL || strcmp(allowed, BROWSER) == 0);
        assert_true(allowed == NULL || strstr(others[i], BROWSER) != NULL);
        http_answer_clear(&answer);
    }
    assert_int_equal(application_requests(place.application), before);
}

static void browsers_of_a_named_origin(void **state)
{
    struct http_answer answer;
    (void)state;
    proxy_kind_need(kind);
    preflights_are_answered();
    other_options_are_asked_about();
    assert_int_equal(behind_proxy_get(&place, "Origin: " BROWSER "\r\n", &answer), 401);
    assert_exposed(&answer);
    keep_nonce(&answer);
    http_answer_clear(&answer);
    char *headers = proof_for("POST", SITE "/orders", "Origin: " BROWSER "\r\n");
    assert_int_equal(behind_proxy_ask(&place, "POST /orders", headers, "hello", &answer), 200);
    assert_exposed(&answer);
    http_answer_clear(&answer);
    /* A refusal can be read, too. */
    assert_int_equal(behind_proxy_ask(&place, "POST /orders", headers, "hello", &answer), 403);
    assert_exposed(&answer);
    http_answer_clear(&answer);
    free(headers);
}

/* ---- nginx alone ---- */

/* The application ran, and nginx makes another request of it, with GET. */
static void a_second_request_inside_has_the_first_s_proof(void **state)
{
    static const struct {
        const char *line;
        const char *url;
        unsigned status;
        double asked;
    } cases[] = {{"POST /busy", SITE "/busy", 503, 2}, {"POST /private", SITE "/private", 200, 1}};
    struct http_answer answer;
    (void)state;
    proxy_kind_need(kind);
    learn_nonce();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned before = application_requests(place.application);
        double asked = behind_proxy_decided(&place, "admitted", "admitted");
        char *headers = proof_for("POST", cases[i].url, "");
        assert_int_equal(behind_proxy_ask(&place, cases[i].line, headers, "hello", &answer),
                         cases[i].status);
        assert_string_equal(answer.body, "hello\n");
        http_answer_clear(&answer);
        assert_int_equal(application_requests(place.application) - before, 1);
        assert_true(behind_proxy_decided(&place, "admitted", "admitted") - asked == cases[i].asked);
        free(headers);
    }
    /* What only nginx may ask for, a client may not. */
    char *headers = proof_for("GET", SITE "/files/private", "");
    assert_int_equal(behind_proxy_ask(&place, "GET /files/private", headers, "", &answer), 404);
    http_answer_clear(&answer);
    free(headers);
}

/* The controller passes on the client's id; the header that the page adds is nginx's own. */
static void an_ingress_has_an_id_of_its_own(void **state)
{
    struct http_answer answer;
    (void)state;
    proxy_kind_need(kind);
    char *token = fresh_token("user-1");
    char *headers = text_of("Authorization: Bearer %s\r\nX-Request-ID: mine\r\n"
                            "X-JTI-Owner: mine\r\n",
                            token);
    assert_int_equal(behind_proxy_get(&place, headers, &answer), 200);
    http_answer_clear(&answer);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(behind_proxy_get(&place, headers, &answer), 403);
        http_answer_clear(&answer);
    }
    free(headers);
    free(token);
}

/* ---- HAProxy alone ---- */

/* Lua's client of 2.6 repeats a question that breaks off three times, and no setting forbids it;
 * less often where the script's own time ends before, as it does on a busy machine. */
static unsigned times_the_script_may_ask(void)
{
    char *command = text_of("%s -cc 'version_atleast(2.9)'", program_path("haproxy"));
    bool can_be_told = system(command) == 0; /* NOLINT(cert-env33-c): a program of this test's */
    free(command);
    return can_be_told ? 1 : 4;
}

/* The script asks an instance itself, which admits, and the connection breaks. However often it
 * asks, it has one id: the use of one owner, and nothing of it reaches the application. */
static void a_broken_question_of_the_script_is_one_use(void **state)
{
    struct instance *lost = &place.instances[0];
    struct http_answer answer;
    (void)state;
    proxy_kind_need(kind);
    (void)process_stop(&lost->process, SIGKILL);
    struct lossy_relay *relay = lossy_relay_start(lost->port, place.instances[1].port);
    unsigned before = application_requests(place.application);
    char *token = fresh_token("user-1");
    char *headers = text_of("Authorization: Bearer %s\r\n", token);
    assert_int_equal(behind_proxy_get(&place, headers, &answer), 403);
    http_answer_clear(&answer);
    unsigned asked = lossy_relay_lost(relay);
    print_message("%s: a question that broke was put %u times\n", kind->name, asked);
    assert_in_range(asked, 1, times_the_script_may_ask());
    assert_true(behind_proxy_decided(&place, "admitted", "admitted") == asked);
    assert_true(behind_proxy_decided(&place, "replayed", "replayed") == 0);
    lossy_relay_stop(relay);
    instance_start_again(lost, place.log_path, place.keys_path, place.more);
    assert_int_equal(behind_proxy_get(&place, headers, &answer), 403);
    assert_string_equal(http_header(&answer, "X-JTI-Reason"), "replayed");
    http_answer_clear(&answer);
    assert_int_equal(application_requests(place.application), before);
    free(headers);
    free(token);
}

/* ---- places ---- */

static void open_place(const struct place_rules *rules, unsigned parts)
{
    behind_proxy_init(&place, rules);
    const struct dpop_grant grant = {place.signer,      INSTANCE_KID,     INSTANCE_ISSUER,
                                     INSTANCE_AUDIENCE, (long)time(NULL), 600};
    dpop_client_init(&client, &grant);
    nonce[0] = '\0';
    kind->start(&place, parts);
}

static int close_place(void **state)
{
    (void)state;
    if (program_path(kind->program) == NULL)
        return 0;
    dpop_client_clear(&client);
    behind_proxy_end(&place);
    return 0;
}

static int open_plain(void **state)
{
    (void)state;
    if (program_path(kind->program) != NULL)
        open_place(&(struct place_rules){.owner_header = OWNER_HEADER}, PART_NONE);
    return 0;
}

static int open_claim(void **state)
{
    (void)state;
    if (program_path(kind->program) != NULL)
        open_place(&(struct place_rules){.owner_header = OWNER_HEADER,
                                         .claim_header = "email=X-JTI-Email"},
                   PART_CLAIM);
    return 0;
}

static struct place_rules dpop_rules(void)
{
    return (struct place_rules){
        .owner_header = OWNER_HEADER, .dpop_target = kind->dpop_target, .dpop = true};
}

static int open_dpop(void **state)
{
    (void)state;
    const struct place_rules rules = dpop_rules();
    if (program_path(kind->program) != NULL)
        open_place(&rules, PART_CORS);
    return 0;
}

static int open_again(void **state)
{
    (void)state;
    const struct place_rules rules = dpop_rules();
    if (program_path(kind->program) != NULL)
        open_place(&rules, PART_AGAIN);
    return 0;
}

static int open_ingress(void **state)
{
    (void)state;
    if (program_path(kind->program) != NULL)
        open_place(&(struct place_rules){.owner_header = "X-JTI-Owner"}, PART_INGRESS);
    return 0;
}

static int open_direct(void **state)
{
    (void)state;
    if (program_path(kind->program) != NULL)
        open_place(&(struct place_rules){.owner_header = OWNER_HEADER}, PART_DIRECT);
    return 0;
}

static int run_kind(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(identity_is_not_dropped),
        cmocka_unit_test(identity_is_not_forged),
        cmocka_unit_test(announced_trailers_say_nothing),
        cmocka_unit_test(nothing_is_upgraded),
        cmocka_unit_test(what_is_admitted_is_handed_on_once),
        cmocka_unit_test(one_request_is_one_question),
        cmocka_unit_test(a_lost_answer_is_asked_for_again),
        cmocka_unit_test(a_dead_instance_costs_no_request),
        cmocka_unit_test(a_rolling_restart_costs_no_request),
    };
    const struct CMUnitTest claim[] = {cmocka_unit_test(a_chosen_claim_is_the_token_s)};
    const struct CMUnitTest dpop[] = {
        cmocka_unit_test(the_nonce_arrives),
        cmocka_unit_test(a_proof_is_for_method_and_url),
        cmocka_unit_test(browsers_of_a_named_origin),
    };
    print_message("---- %s\n", kind->name);
    return cmocka_run_group_tests(plain, open_plain, close_place) +
           cmocka_run_group_tests(claim, open_claim, close_place) +
           cmocka_run_group_tests(dpop, open_dpop, close_place);
}

static int run_nginx_alone(void)
{
    const struct CMUnitTest again[] = {
        cmocka_unit_test(a_second_request_inside_has_the_first_s_proof)};
    const struct CMUnitTest ingress[] = {cmocka_unit_test(an_ingress_has_an_id_of_its_own)};
    return cmocka_run_group_tests(again, open_again, close_place) +
           cmocka_run_group_tests(ingress, open_ingress, close_place);
}

static int run_haproxy_alone(void)
{
    const struct CMUnitTest direct[] = {
        cmocka_unit_test(a_broken_question_of_the_script_is_one_use)};
    return cmocka_run_group_tests(direct, open_direct, close_place);
}

int main(void)
{
    static const struct proxy_kind *const kinds[] = {&proxy_nginx, &proxy_caddy, &proxy_haproxy,
                                                     &proxy_apache};
    const char *only = getenv("JTIGUARD_TEST_PROXY");
    int failed = 0;
    cmocka_set_test_filter(getenv("JTIGUARD_TEST_FILTER"));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        kind = kinds[i];
        if (only != NULL && strcmp(only, kind->name) != 0)
            continue;
        failed += run_kind();
        if (kind == &proxy_nginx)
            failed += run_nginx_alone();
        if (kind == &proxy_haproxy)
            failed += run_haproxy_alone();
    }
    return failed;
}
