/* SPDX-License-Identifier: Apache-2.0 */
/* What is believed of a proxy: the URL that its client used, by all the headers that say so, and
 * who asks. */
#include "serve/answer/owner_window.h"
#include "serve/dpop_client.h"
#include "serve/service_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct served served;
static struct dpop_client client;

static int set_up(void **state)
{
    (void)state;
    served_init(&served);
    const struct dpop_grant grant = {served.signer,   SERVED_KID,        SERVED_ISSUER,
                                     SERVED_AUDIENCE, SERVED_NOW_S - 10, 300};
    dpop_client_init(&client, &grant);
    served_argument(&served, "--kind=dpop_proof");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dpop_client_clear(&client);
    served_end(&served);
    return 0;
}

/* A proof for htu, under this first line and what the proxy says. */
struct asked {
    const char *line;
    const char *proxy;
    const char *htu;
    const char *reason;
};

static void expect(const struct asked *asked)
{
    struct http_answer answer;
    const struct dpop_use use = {"GET", asked->htu, NULL, SERVED_NOW_S};
    char *headers = dpop_client_headers(&client, &use);
    char *request =
        text_of("%s HTTP/1.1\r\nHost: x\r\n%s%s\r\n", asked->line, asked->proxy, headers);
    assert_true(http_ask(service_port(served.service, HTTP_MAIN), request, &answer));
    const char *reason = http_header(&answer, "X-JTI-Reason");
    if (reason == NULL || strcmp(reason, asked->reason) != 0)
        fail_msg("%s for %s: %s", asked->proxy, asked->htu, reason != NULL ? reason : "none");
    http_answer_clear(&answer);
    free(request);
    free(headers);
}

static void expect_all(const struct asked *asked, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect(&asked[i]);
}

#define FORWARDED(proto, host, more)                                                               \
    "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /a\r\nX-Forwarded-Proto: " proto                  \
    "\r\nX-Forwarded-Host: " host "\r\n" more

#define A "https://api.example/a"

static void the_scheme_of_the_client(void **state)
{
    (void)state;
    static const struct asked asked[] = {
        {"GET /check", FORWARDED("https", "api.example", ""), A, "admitted"},
        {"GET /check", FORWARDED("HTTPS", "api.example", ""), A, "admitted"},
        {"GET /check", FORWARDED("wss", "api.example", ""), A, "admitted"},
        {"GET /check", FORWARDED("ws", "api.example", ""), "http://api.example/a", "admitted"},
        {"GET /check", FORWARDED("https,http", "api.example", ""), A, "admitted"},
        {"GET /check", FORWARDED("wss , http", "api.example", ""), A, "admitted"},
        {"GET /check", FORWARDED("http, https", "api.example", ""), A, "proof_wrong_url"},
        {"GET /check", FORWARDED("ftp", "api.example", ""), A, "missing_target"},
        {"GET /check", FORWARDED(",https", "api.example", ""), A, "missing_target"},
        {"GET /check", FORWARDED("https", "api.example, api.example", ""), A, "missing_target"},
        {"GET /check", FORWARDED("https", "api.example", "X-Forwarded-Proto: https\r\n"), A,
         "missing_target"}};
    served_start(&served);
    expect_all(asked, sizeof asked / sizeof *asked);
}

/* A proxy that knows nothing of them passes on what the client wrote: whoever had a proof for
 * another port or path could then use it here. */
static void port_and_prefix_only_where_told(void **state)
{
    (void)state;
    static const char more[] = "X-Forwarded-Port: 8443\r\nX-Forwarded-Prefix: /v2\r\n";
    char *all = text_of("%s%s", FORWARDED("https", "api.example", ""), more);
    const struct asked asked[] = {
        {"GET /check", all, A, "admitted"},
        {"GET /check", all, "https://api.example:8443/v2/a", "proof_wrong_url"}};
    served_start(&served);
    expect_all(asked, sizeof asked / sizeof *asked);
    free(all);
}

#define PORT(host, port) FORWARDED("https", host, "X-Forwarded-Port: " port "\r\n")
#define PREFIX(prefix)   FORWARDED("https", "api.example", "X-Forwarded-Prefix: " prefix "\r\n")
#define A_AT_8443        "https://api.example:8443/a"

static void port_and_prefix(void **state)
{
    (void)state;
    static const struct asked asked[] = {
        {"GET /check", FORWARDED("https", "api.example", ""), A, "admitted"},
        {"GET /check", PORT("api.example", "8443"), A_AT_8443, "admitted"},
        {"GET /check", PORT("api.example:8443", "9"), A_AT_8443, "admitted"},
        {"GET /check", PORT("api.example", "443"), A, "admitted"},
        {"GET /check", PORT("api.example", "80"), A, "admitted"},
        {"GET /check", PORT("[::1]", "8443"), "https://[::1]:8443/a", "admitted"},
        {"GET /check", PORT("api.example", "0"), A, "missing_target"},
        {"GET /check", PORT("api.example", ""), A, "missing_target"},
        {"GET /check", PORT("api.example", "65536"), A, "missing_target"},
        {"GET /check", PORT("api.example", "8443@b"), A, "missing_target"},
        {"GET /check", PORT("api.example", "8443\r\nX-Forwarded-Port: 8443"), A, "missing_target"},
        {"GET /check", PREFIX("/v2"), "https://api.example/v2/a", "admitted"},
        {"GET /check", PREFIX("/v2/"), "https://api.example/v2/a", "admitted"},
        {"GET /check", PREFIX("/"), A, "admitted"},
        {"GET /check", PREFIX(""), A, "admitted"},
        {"GET /check", PREFIX("v2"), A, "missing_target"},
        {"GET /check", PREFIX(".b.example"), A, "missing_target"},
        {"GET /check", PREFIX("/v2\r\nX-Forwarded-Prefix: /v2"), A, "missing_target"}};
    served_argument(&served, "--forwarded-port");
    served_argument(&served, "--forwarded-prefix");
    served_start(&served);
    expect_all(asked, sizeof asked / sizeof *asked);
}

/* Also where a path has letters that RFC 3986 wants encoded. */
static void the_whole_url(void **state)
{
    (void)state;
#define ORIGINAL(url) "X-Original-Method: GET\r\nX-Original-URL: " url "\r\n"
    static const struct asked asked[] = {
        {"GET /check", ORIGINAL(A), A, "admitted"},
        {"GET /check", ORIGINAL("https://api.example/items/[id]?x=[1]"),
         "https://api.example/items/[id]", "admitted"},
        {"GET /check", ORIGINAL("https://api.example/a|b^c"), "https://api.example/a|b^c",
         "admitted"},
        {"GET /check", ORIGINAL("https://api.example/a|b"), "https://api.example/a%7Cb",
         "admitted"},
        {"GET /check", ORIGINAL("https://api.example/100%"), "https://api.example/100%",
         "admitted"},
        {"GET /check", ORIGINAL("https://api.example/100%"), "https://api.example/100",
         "proof_wrong_url"},
        {"GET http://auth.example/check", ORIGINAL(A), A, "admitted"}};
    served_argument(&served, "--dpop-target=original");
    served_start(&served);
    expect_all(asked, sizeof asked / sizeof *asked);
}

/* The whole URL in the first line, as RFC 9112 section 3.2.2 lets a proxy send it. */
static void the_request_s_own(void **state)
{
    (void)state;
    static const struct asked asked[] = {
        {"GET /check/a", "", A, "admitted"},
        {"GET http://auth.example/check/a?x=1", "", A, "admitted"},
        {"GET HTTPS://auth.example:9870/check/a", "", A, "admitted"},
        {"GET http://auth.example/check/items/[id]", "", "https://api.example/items/[id]",
         "admitted"}};
    struct http_answer answer;
    static const char *const elsewhere[] = {"http://auth.example", "http://auth.example?/check",
                                            "http:///checks", "http://auth.example/x/check"};
    served_argument(&served, "--dpop-target=request");
    served_argument(&served, "--public-url=https://api.example");
    served_start(&served);
    expect_all(asked, sizeof asked / sizeof *asked);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        char *request = text_of("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", elsewhere[i]);
        assert_true(http_ask(service_port(served.service, HTTP_MAIN), request, &answer));
        assert_int_equal(answer.status, 404);
        http_answer_clear(&answer);
        free(request);
    }
}

/* Who asks what to show has done nothing wrong, however often: browsers' preflights, and the first
 * proof of each DPoP client. */
static void questions_are_no_attempts(void **state)
{
    (void)state;
    enum { MANY = 6 };
    struct http_answer answer;
    static const struct asked first = {
        "GET /check", FORWARDED("https", "api.example", "X-Forwarded-For: 198.51.100.7\r\n"), A,
        "proof_wrong_nonce"};
    static const struct asked bad = {
        "GET /check", FORWARDED("https", "api.example", "X-Forwarded-For: 198.51.100.7\r\n"),
        "https://b.example/", "proof_wrong_url"};
    static const struct asked over = {
        "GET /check", FORWARDED("https", "api.example", "X-Forwarded-For: 198.51.100.7\r\n"), A,
        "too_many_refusals"};
    served_argument(&served, "--dpop-nonce");
    served_argument(&served, "--refusal-rate=1");
    served_argument(&served, "--refusal-burst=3");
    served_start(&served);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(served_check(&served, "X-Forwarded-For: 198.51.100.7\r\n", &answer), 401);
        assert_string_equal(http_header(&answer, "X-JTI-Reason"), "missing_token");
        http_answer_clear(&answer);
        expect(&first);
    }
    for (int i = 0; i < 3; i++)
        expect(&bad);
    expect(&over);
}

/* ---- the owner's window ---- */

static const jtg_text id = {"id", 2};

/* Whether a question at `later` would find what one at `first` has stored. */
static bool finds(int64_t first_ms, int64_t later_ms)
{
    jtg_owner stored[OWNER_CANDIDATES];
    jtg_owner asked[OWNER_CANDIDATES];
    assert_true(owner_window_candidates(stored, id, first_ms, 1000 * 5) > 0);
    size_t count = owner_window_candidates(asked, id, later_ms, 1000 * 5);
    for (size_t i = 0; i < count; i++)
        if (memcmp(&asked[i], &stored[0], sizeof stored[0]) == 0)
            return true;
    return false;
}

static void the_window_of_an_owner(void **state)
{
    (void)state;
    static const int64_t base_ms = INT64_C(1795176000000);
    assert_int_equal(owner_window_ms(5000), 10000);
    for (int64_t first = 0; first < 5000; first += 7) {
        assert_true(finds(base_ms + first, base_ms + first));
        assert_true(finds(base_ms + first, base_ms + first + 5000));
        assert_false(finds(base_ms + first, base_ms + first + 10000));
    }
    /* An instance whose clock is behind. */
    assert_true(finds(base_ms + 5000, base_ms + 4000));
    assert_false(finds(base_ms + 5000, base_ms + 3999));
}

static void ids_of_the_window(void **state)
{
    (void)state;
    static const int64_t now_ms = INT64_C(1795176000000);
    jtg_owner one[OWNER_CANDIDATES];
    jtg_owner two[OWNER_CANDIDATES];
    char longest[OWNER_ID_MAX_BYTES + 1];
    memset(longest, 'x', sizeof longest);
    assert_int_equal(owner_window_candidates(one, id, now_ms, 5000), 2);
    assert_int_equal(owner_window_candidates(two, (jtg_text){"ie", 2}, now_ms, 5000), 2);
    assert_memory_not_equal(&one[0], &two[0], sizeof one[0]);
    assert_memory_not_equal(&one[0], &one[1], sizeof one[0]);
    assert_int_equal(owner_window_candidates(two, (jtg_text){"", 0}, now_ms, 5000), 0);
    jtg_text text = {longest, OWNER_ID_MAX_BYTES};
    assert_int_equal(owner_window_candidates(two, text, now_ms, 5000), 2);
    text.data_len++;
    assert_int_equal(owner_window_candidates(two, text, now_ms, 5000), 0);
    /* Those next to each other stand under one number each. */
    assert_int_equal(owner_window_candidates(two, id, now_ms + 5000, 5000), 2);
    assert_memory_equal(&two[1], &one[0], sizeof one[0]);
}

#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST_OF(the_scheme_of_the_client),
                                       TEST_OF(port_and_prefix_only_where_told),
                                       TEST_OF(port_and_prefix),
                                       TEST_OF(the_whole_url),
                                       TEST_OF(the_request_s_own),
                                       TEST_OF(questions_are_no_attempts),
                                       cmocka_unit_test(the_window_of_an_owner),
                                       cmocka_unit_test(ids_of_the_window)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
