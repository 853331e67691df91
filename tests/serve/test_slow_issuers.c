/* SPDX-License-Identifier: Apache-2.0 */
/* The service beside issuers whose key servers hang. It has one worker, so that whoever holds that
 * holds everybody; and every wait is longer than the test, so that what comes through has come
 * through while the others waited. */
#include "serve/keys_server.h"
#include "serve/service_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOW "https://slow.example"
#define KEYS "/keys"

enum { MANY = 20 };

static struct served served;
static struct keys_server *server;

static void write_config(unsigned slow_issuers)
{
    char *list = text_of("{\"issuer\":\"" SERVED_ISSUER "\",\"audience\":\"" SERVED_AUDIENCE
                         "\",\"jwks_file\":\"%s/keys.json\"}",
                         served.folder);
    for (unsigned i = 0; i < slow_issuers; i++) {
        char *longer = text_of("%s,{\"issuer\":\"" SLOW "/%u\",\"audience\":\"" SERVED_AUDIENCE
                               "\",\"jwks_url\":\"%s" KEYS "?%u\"}",
                               list, i, keys_server_base(server), i);
        free(list);
        list = longer;
    }
    char *config = text_of("{\"issuers\":[%s]}", list);
    served_write(&served, "config.json", config);
    free(config);
    free(list);
}

static int set_up(void **state)
{
    (void)state;
    served_init(&served);
    server = keys_server_new(false);
    char *jwks = signer_jwks(served.signer, SERVED_KID);
    keys_server_put(server, KEYS, 200, jwks, NULL);
    free(jwks);
    served_argument(&served, "--config=%s/config.json", served.folder);
    served_argument(&served, "--listen=unix:%s/main.sock", served.folder);
    served_argument(&served, "--keys-loopback-http");
    served_argument(&served, "--threads=1");
    served_argument(&served, "--keys-timeout=60s");
    served_argument(&served, "--keys-wait=50s");
    served_argument(&served, "--request-timeout=55s");
    write_config(1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    keys_server_free(server);
    served_end(&served);
    return 0;
}

/* A token of the slow issuer `index`, good once its keys are there. */
static char *slow_token(unsigned index, const char *kid, const char *jti)
{
    char *payload = text_of("{\"iss\":\"" SLOW "/%u\",\"aud\":\"" SERVED_AUDIENCE
                            "\",\"sub\":\"u\",\"jti\":\"%s\",\"exp\":%ld}",
                            index, jti, SERVED_NOW_S + 60);
    char *token = signer_token(served.signer, "JWT", kid, payload);
    free(payload);
    return token;
}

/* Ask, and leave the answer to come. token is freed. */
static int ask_by(int fd, char *token)
{
    char *request =
        text_of("GET /check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", token);
    assert_true(http_send(fd, request, strlen(request)));
    free(request);
    free(token);
    return fd;
}

static int ask(char *token)
{
    return ask_by(http_connect(service_port(served.service, HTTP_MAIN)), token);
}

static int ask_unix(char *token)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/main.sock", served.folder);
    return ask_by(http_connect_unix(path), token);
}

static bool is_unanswered(int fd)
{
    char byte = 0;
    return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

/* The answer, and the end of the connection. */
static void assert_answer(int fd, unsigned status, const char *reason)
{
    struct http_answer answer;
    assert_true(http_read(fd, &answer, false));
    assert_int_equal(answer.status, status);
    assert_string_equal(http_header(&answer, "X-JTI-Reason"), reason);
    http_answer_clear(&answer);
    (void)close(fd);
}

static void await_waits(unsigned issuer, double count)
{
    char series[128];
    (void)snprintf(series, sizeof series,
                   "jtiguard_keys_waits_total{document=\"%u\",issuer=\"" SLOW "/%u\"}", issuer + 1,
                   issuer);
    assert_true(served_await_metric(&served, series, count));
}

static void assert_others_pass(const char *round)
{
    for (unsigned i = 0; i < MANY; i++) {
        char jti[32];
        (void)snprintf(jti, sizeof jti, "%s-%u", round, i);
        assert_int_equal(served_bearer(&served, served_token(&served, jti, "")).status, 200);
    }
}

static void a_token_that_waits_holds_up_nobody(void **state)
{
    (void)state;
    keys_server_hold(server, KEYS, true);
    served_start(&served);
    int good = ask(slow_token(0, SERVED_KID, "1"));
    int junk = ask(slow_token(0, "invented", "2"));
    await_waits(0, 2);
    assert_others_pass("waiting");
    assert_true(is_unanswered(good));
    assert_true(is_unanswered(junk));
    keys_server_hold(server, KEYS, false);
    assert_answer(good, 200, "admitted");
    assert_answer(junk, 401, "unknown_key");
    /* Decided once, however often they were looked at. */
    assert_int_equal(served_decisions(&served, "check", "admitted", "admitted"), MANY + 1);
    assert_int_equal(served_decisions(&served, "check", "refused", "unknown_key"), 1);
    assert_int_equal(served_decisions(&served, "check", "refused", "keys_unavailable"), 0);
}

/* A kid that nobody knows asks for keys once more, from an issuer that hangs only now. */
static void an_invented_kid_holds_up_nobody(void **state)
{
    (void)state;
    served_start(&served);
    assert_answer(ask(slow_token(0, SERVED_KID, "1")), 200, "admitted");
    keys_server_hold(server, KEYS, true);
    test_clock_advance(&served.clock, KEYS_RETRY_S_DEFAULT * 1000);
    double before =
        served_metric(&served, "jtiguard_keys_waits_total{document=\"1\",issuer=\"" SLOW "/0\"}");
    int junk = ask(slow_token(0, "invented", "2"));
    await_waits(0, before + 1);
    assert_others_pass("waiting");
    /* Nor does it hold up its own issuer's tokens of keys that are known. */
    assert_answer(ask(slow_token(0, SERVED_KID, "3")), 200, "admitted");
    assert_true(is_unanswered(junk));
    keys_server_hold(server, KEYS, false);
    assert_answer(junk, 401, "unknown_key");
}

/* What follows on the same connection comes in its turn. */
static void who_waits_is_answered_in_order(void **state)
{
    (void)state;
    struct http_answer answer;
    keys_server_hold(server, KEYS, true);
    served_start(&served);
    char *slow = slow_token(0, SERVED_KID, "1");
    char *quick = served_token(&served, "2", "");
    char *both = text_of("GET /check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
                         "GET /check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n",
                         slow, quick);
    int fd = http_connect(service_port(served.service, HTTP_MAIN));
    assert_true(http_send(fd, both, strlen(both)));
    await_waits(0, 1);
    assert_true(is_unanswered(fd));
    keys_server_hold(server, KEYS, false);
    assert_true(http_read(fd, &answer, false));
    assert_string_equal(http_header(&answer, "X-JTI-Issuer"), SLOW "/0");
    http_answer_clear(&answer);
    assert_true(http_read(fd, &answer, false));
    assert_string_equal(http_header(&answer, "X-JTI-Issuer"), SERVED_ISSUER);
    http_answer_clear(&answer);
    (void)close(fd);
    free(both);
    free(quick);
    free(slow);
}

/* Each of them may show its token again: nobody used it up for an answer that nobody read. */
static void who_goes_away_while_waiting(void **state)
{
    (void)state;
    keys_server_hold(server, KEYS, true);
    served_start(&served);
    for (unsigned i = 0; i < MANY; i++) {
        char jti[16];
        (void)snprintf(jti, sizeof jti, "%u", i);
        char *token = slow_token(0, SERVED_KID, jti);
        int fd = i % 2 == 0 ? ask(token) : ask_unix(token);
        await_waits(0, i + 1);
        (void)close(fd);
    }
    int stays = ask(slow_token(0, SERVED_KID, "stays"));
    await_waits(0, MANY + 1);
    keys_server_hold(server, KEYS, false);
    assert_answer(stays, 200, "admitted");
    assert_others_pass("after");
    assert_true(served_await_metric(&served, "jtiguard_http_requests_unfinished_total", MANY));
    assert_true(served_await_metric(&served, "jtiguard_connections_open", 0));
    assert_int_equal(served_decisions(&served, "check", "admitted", "admitted"), MANY + 1);
    for (unsigned i = 0; i < MANY; i++) {
        char jti[16];
        (void)snprintf(jti, sizeof jti, "%u", i);
        assert_answer(ask(slow_token(0, SERVED_KID, jti)), 200, "admitted");
    }
}

/* No issuer's keys are waited for at the start, nor those who wait for them at the end. */
static void it_starts_and_ends_while_all_hang(void **state)
{
    (void)state;
    enum { ISSUERS = 10 };
    int waiting[ISSUERS];
    write_config(ISSUERS);
    keys_server_hold(server, KEYS, true);
    served_start(&served);
    for (unsigned i = 0; i < ISSUERS; i++) {
        waiting[i] = ask(slow_token(i, SERVED_KID, "1"));
        await_waits(i, 1);
    }
    assert_others_pass("waiting");
    service_stop(served.service);
    served.service = NULL;
    for (unsigned i = 0; i < ISSUERS; i++)
        assert_answer(waiting[i], 403, "keys_unavailable");
    char *log = served_log(&served, "nothing is under way");
    assert_null(strstr(log, "cut off"));
    free(log);
    assert_int_equal(keys_server_count(server, KEYS), ISSUERS);
}

static void reload(void)
{
    struct settings_problem problem = {{0}};
    struct service_settings *settings = served_settings(&served, &problem);
    assert_non_null(settings);
    assert_true(service_reload(served.service, settings, &problem));
}

/* The keys that it waits for are fetched anew, and what it waited for comes. */
static void who_waits_waits_on_over_reloads(void **state)
{
    (void)state;
    keys_server_hold(server, KEYS, true);
    served_start(&served);
    int good = ask(slow_token(0, SERVED_KID, "1"));
    int junk = ask(slow_token(0, "invented", "2"));
    await_waits(0, 2);
    reload();
    await_waits(0, 4);
    reload();
    await_waits(0, 6);
    assert_true(is_unanswered(good));
    assert_true(is_unanswered(junk));
    keys_server_hold(server, KEYS, false);
    assert_answer(good, 200, "admitted");
    assert_answer(junk, 401, "unknown_key");
    assert_int_equal(served_decisions(&served, "check", "refused", "keys_unavailable"), 0);
}

/* Whose issuer is no longer configured has nothing to wait for. */
static void a_reload_without_its_issuer_answers_who_waits(void **state)
{
    (void)state;
    keys_server_hold(server, KEYS, true);
    served_start(&served);
    int fd = ask(slow_token(0, SERVED_KID, "1"));
    await_waits(0, 1);
    write_config(0);
    reload();
    assert_answer(fd, 401, "unknown_issuer");
}

static void write_headers_config(const char *of_entry, const char *of_all)
{
    char *config =
        text_of("{\"issuers\":[{\"issuer\":\"" SLOW "/0\",\"audience\":\"" SERVED_AUDIENCE
                "\",\"jwks_url\":\"%s" KEYS "?0\"%s}]%s}",
                keys_server_base(server), of_entry, of_all);
    served_write(&served, "config.json", config);
    free(config);
}

static char *mallorys_token(const char *jti)
{
    char *payload = text_of("{\"iss\":\"" SLOW "/0\",\"aud\":\"" SERVED_AUDIENCE
                            "\",\"sub\":\"mallory\",\"name\":\"admin\",\"jti\":\"%s\",\"exp\":%ld}",
                            jti, SERVED_NOW_S + 60);
    char *token = signer_token(served.signer, "JWT", SERVED_KID, payload);
    free(payload);
    return token;
}

static void reload_with_other_headers(void)
{
    write_headers_config(",\"claim_header\":[\"name=X-JTI-Subject\"]",
                         ",\"subject_header\":\"X-JTI-ID\"");
    reload();
}

static void assert_other_headers(int fd)
{
    struct http_answer answer;
    assert_true(http_read(fd, &answer, false));
    assert_int_equal(answer.status, 200);
    assert_string_equal(http_header(&answer, "X-JTI-ID"), "mallory");
    assert_string_equal(http_header(&answer, "X-JTI-Subject"), "admin");
    http_answer_clear(&answer);
    (void)close(fd);
}

/* Who is let in, and the headers that say so, are of one and the same settings: of a token that
 * waited over a reload, and of a request whose head came before it. */
static void an_answer_is_of_the_settings_that_judged(void **state)
{
    (void)state;
    write_headers_config("", "");
    keys_server_hold(server, KEYS, true);
    served_start(&served);
    int fd = ask(mallorys_token("1"));
    assert_true(served_await_metric(
        &served, "jtiguard_keys_waits_total{document=\"0\",issuer=\"" SLOW "/0\"}", 1));
    reload_with_other_headers();
    keys_server_hold(server, KEYS, false);
    assert_other_headers(fd);
    assert_int_equal(served_decisions(&served, "check", "admitted", "admitted"), 1);
}

static void a_head_from_before_a_reload(void **state)
{
    (void)state;
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char got[sizeof go_on] = "";
    write_headers_config("", "");
    served_start(&served);
    assert_answer(ask(mallorys_token("1")), 200, "admitted");
    int fd = http_connect(service_port(served.service, HTTP_MAIN));
    char *token = mallorys_token("2");
    char *head = text_of("POST /check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                         "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n",
                         token);
    assert_true(http_send(fd, head, strlen(head)));
    assert_int_equal(recv(fd, got, sizeof go_on - 1, MSG_WAITALL), sizeof go_on - 1);
    assert_string_equal(got, go_on);
    reload_with_other_headers();
    assert_true(http_send(fd, "x", 1));
    assert_other_headers(fd);
    free(head);
    free(token);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_token_that_waits_holds_up_nobody),
        TEST(an_invented_kid_holds_up_nobody),
        TEST(who_waits_is_answered_in_order),
        TEST(who_goes_away_while_waiting),
        TEST(it_starts_and_ends_while_all_hang),
        TEST(who_waits_waits_on_over_reloads),
        TEST(a_reload_without_its_issuer_answers_who_waits),
        TEST(an_answer_is_of_the_settings_that_judged),
        TEST(a_head_from_before_a_reload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
