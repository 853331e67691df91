/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts of the verifier, each alone. */
#include "serve/verify/base64url.h"
#include "serve/verify/dpop_nonce.h"
#include "serve/verify/issuer_name.h"
#include "serve/verify/strict_json.h"
#include "serve/verify/target_url.h"
#include "serve/verify/token_times.h"
#include "support/asserts.h"

#include <jtiguard/memory.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- base64url ---- */

static bool decodes(const char *text)
{
    unsigned char data[64];
    size_t data_len = 0;
    return base64url_decode(text, strlen(text), data, sizeof data, &data_len);
}

static void base64url_has_one_spelling(void **state)
{
    (void)state;
    static const char *const good[] = {"", "AA", "AAA", "AAAA", "-_8", "Zm9vYmFy"};
    static const char *const bad[] = {"A",  "AB",    "AAB", "AA==",  "AAA=", "A=",  "+A",
                                      "/w", "AAAAA", "A A", "AAA\n", "AA.",  "\xc3"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(decodes(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(decodes(bad[i]));
}

/* Of all texts of two and three letters exactly those decode that encode what they decode to. */
static void base64url_goes_there_and_back(void **state)
{
    (void)state;
    unsigned accepted = 0;
    for (unsigned number = 0; number < 256 * 256; number++) {
        unsigned char data[4];
        char back[8];
        size_t data_len = 0;
        const char text[] = {(char)(number >> 8U), (char)number, '\0'};
        if (!base64url_decode(text, 2, data, sizeof data, &data_len))
            continue;
        accepted++;
        assert_int_equal(data_len, 1);
        (void)sodium_bin2base64(back, sizeof back, data, data_len,
                                sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        assert_string_equal(back, text);
    }
    assert_int_equal(accepted, 256);
}

static void base64url_keeps_to_its_room(void **state)
{
    (void)state;
    unsigned char data[3];
    size_t data_len = 0;
    assert_true(base64url_decode("AAAA", 4, data, 3, &data_len));
    assert_int_equal(data_len, 3);
    assert_false(base64url_decode("AAAAAA", 6, data, 3, &data_len));
    for (size_t text_len = 0; text_len < 40; text_len++)
        assert_true(BASE64URL_BYTES(text_len) >= text_len * 3 / 4);
}

/* ---- JSON ---- */

static enum json_fault fault_of(const char *text)
{
    json_t *root = NULL;
    enum json_fault fault = strict_json_read(&root, text, strlen(text));
    assert_int_equal(root != NULL, fault == JSON_FAULT_NONE);
    json_decref(root);
    return fault;
}

static void json_is_strict(void **state)
{
    (void)state;
    assert_int_equal(fault_of("{}"), JSON_FAULT_NONE);
    assert_int_equal(fault_of(" {\"a\":[1,{\"b\":null}]} "), JSON_FAULT_NONE);
    assert_int_equal(fault_of(""), JSON_FAULT_SYNTAX);
    assert_int_equal(fault_of("[]"), JSON_FAULT_SYNTAX);
    assert_int_equal(fault_of("{} {}"), JSON_FAULT_SYNTAX);
    assert_int_equal(fault_of("{\"a\":\"\\u0000\"}"), JSON_FAULT_SYNTAX);
    assert_int_equal(fault_of("{\"a\":\"\xff\"}"), JSON_FAULT_SYNTAX);
    assert_int_equal(fault_of("{\"a\":1,\"a\":1}"), JSON_FAULT_DUPLICATE);
    assert_int_equal(fault_of("{\"a\":1,\"\\u0061\":1}"), JSON_FAULT_DUPLICATE);
    assert_int_equal(fault_of("{\"a\":1e999}"), JSON_FAULT_NUMBER);
    assert_int_equal(fault_of("{\"a\":99999999999999999999}"), JSON_FAULT_NUMBER);
}

static void json_nests_so_far(void **state)
{
    (void)state;
    char text[STRICT_JSON_MAX_DEPTH * 2 + 16];
    for (size_t depth = STRICT_JSON_MAX_DEPTH - 1; depth <= STRICT_JSON_MAX_DEPTH; depth++) {
        char *at = text;
        memcpy(at, "{\"a\":", 5);
        memset(at + 5, '[', depth);
        memset(at + 5 + depth, ']', depth);
        memcpy(at + 5 + 2 * depth, "}", 2);
        assert_int_equal(fault_of(text),
                         depth < STRICT_JSON_MAX_DEPTH ? JSON_FAULT_NONE : JSON_FAULT_TOO_DEEP);
    }
    assert_int_equal(fault_of("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[\"}"), JSON_FAULT_NONE);
    assert_int_equal(fault_of("{\"a\":\"\\\\\",\"b\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}"),
                     JSON_FAULT_TOO_DEEP);
}

/* ---- the URL of a proof ---- */

static void urls_of_one_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        const char *normal;
    } cases[] = {
        {"https://api.example/a", "https://api.example/a"},
        {"HTTPS://API.Example/a", "https://api.example/a"},
        {"https://api.example", "https://api.example/"},
        {"https://api.example?x=1", "https://api.example/"},
        {"https://api.example/a?x=1#f", "https://api.example/a"},
        {"https://api.example/a#f?x", "https://api.example/a"},
        {"https://api.example:443/a", "https://api.example/a"},
        {"https://api.example:0443/a", "https://api.example/a"},
        {"https://api.example:/a", "https://api.example/a"},
        {"https://api.example:8443/a", "https://api.example:8443/a"},
        {"http://api.example:80/a", "http://api.example/a"},
        {"http://api.example:443/a", "http://api.example:443/a"},
        {"https://api.example/%61%2D%7e", "https://api.example/a-~"},
        {"https://api.example/%2f%3f%e2", "https://api.example/%2F%3F%E2"},
        {"https://%41pi.example/", "https://api.example/"},
        {"https://api.example/a/./b/../c", "https://api.example/a/c"},
        {"https://api.example/a/%2e%2E/c", "https://api.example/c"},
        {"https://api.example/../../c", "https://api.example/c"},
        {"https://api.example/a/..", "https://api.example/"},
        {"https://api.example/a/.", "https://api.example/a/"},
        {"https://api.example/a/b/..", "https://api.example/a/"},
        {"https://api.example/..", "https://api.example/"},
        {"https://api.example//a//", "https://api.example//a//"},
        {"https://api.example/...", "https://api.example/..."},
        {"https://api.example/a:b@c;d=e,f", "https://api.example/a:b@c;d=e,f"},
        {"https://[2001:DB8::1]:443/a", "https://[2001:db8::1]/a"},
        {"https://127.0.0.1:1/", "https://127.0.0.1:1/"},
        /* As the URL class of browsers leaves them. */
        {"https://api.example/items/[id]", "https://api.example/items/%5Bid%5D"},
        {"https://api.example/a|b", "https://api.example/a%7Cb"},
        {"https://api.example/a%7cb", "https://api.example/a%7Cb"},
        {"https://api.example/a^b", "https://api.example/a%5Eb"},
        {"https://api.example/100%", "https://api.example/100%25"},
        {"https://api.example/100%25", "https://api.example/100%25"},
        {"https://api.example/%4", "https://api.example/%254"},
        {"https://api.example/%zz", "https://api.example/%25zz"},
        /* What is encoded here is no start of what follows. */
        {"https://api.example/%%412", "https://api.example/%25A2"},
        {"https://api.example/[/../b", "https://api.example/b"},
        {"https://api.example/a?[|]^%", "https://api.example/a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char url[TARGET_URL_BYTES];
        char again[TARGET_URL_BYTES];
        assert_true(target_url_normalize(url, (jtg_text){cases[i].given, strlen(cases[i].given)}));
        assert_string_equal(url, cases[i].normal);
        assert_true(target_url_normalize(again, (jtg_text){url, strlen(url)}));
        assert_string_equal(again, url);
    }
}

static void texts_that_are_no_urls(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "/a",
        "api.example/a",
        "//api.example/a",
        "https:/api.example/a",
        "https:api.example",
        "https://",
        "https:///a",
        "https://:443/a",
        "ftp://api.example/a",
        "javascript://api.example/a",
        "https://user@api.example/a",
        "https://user:pass@api.example/a",
        "https://api.example:99999/a",
        "https://api.example:-1/a",
        "https://api.example:a/",
        "https://api%.example/",
        "https://api|.example/",
        "https://api.example/a b",
        "https://api.example/\n",
        "https://api.example/\\",
        "https://api.example\\a",
        "https://api.example/\xc3\xab",
        "https://\xc3\xab.example/",
        "https://[::1/a",
        "https://[::1]a/",
        "https://[api]/",
        "https://a[::1]/",
        " https://api.example/",
    };
    char url[TARGET_URL_BYTES];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (target_url_normalize(url, (jtg_text){bad[i], strlen(bad[i])}))
            fail_msg("%s became %s", bad[i], url);
    assert_false(target_url_normalize(url, (jtg_text){"https://a/\0b", 12}));
    assert_false(target_url_normalize(url, (jtg_text){NULL, 0}));
}

static void urls_of_every_length(void **state)
{
    (void)state;
    char given[TARGET_URL_BYTES + 8];
    char url[TARGET_URL_BYTES];
    static const char start[8] = {'h', 't', 't', 'p', 's', ':', '/', '/'};
    memset(given, 'a', sizeof given);
    memcpy(given, start, sizeof start);
    for (size_t len = TARGET_URL_BYTES - 8; len < sizeof given; len++)
        assert_int_equal(target_url_normalize(url, (jtg_text){given, len}),
                         len <= TARGET_URL_BYTES - 2);
}

/* Encoding makes a URL longer than it came. */
static void raw_letters_of_every_length(void **state)
{
    (void)state;
    char given[TARGET_URL_BYTES];
    char url[TARGET_URL_BYTES];
    static const char start[] = "https://a/";
    size_t head = sizeof start - 1;
    memset(given, '[', sizeof given);
    for (size_t i = 0; i < head; i++)
        given[i] = start[i];
    for (size_t raw = (TARGET_URL_BYTES - head) / 3 - 4; head + raw < sizeof given; raw++)
        assert_int_equal(target_url_normalize(url, (jtg_text){given, head + raw}),
                         head + 3 * raw <= TARGET_URL_BYTES - 2);
}

/* ---- names of issuers ---- */

static void templates(void **state)
{
    (void)state;
    static const char *const good[] = {"https://login.example/{tenantid}/v2.0",
                                       "https://login.example/{t}", "https://h/a/{b-c_9}/"};
    static const char *const bad[] = {"",
                                      "https://login.example/v2.0",
                                      "https://{tenant}/v2.0",
                                      "https://{tenant}.example/v2.0",
                                      "https://login.example/{a}/{b}",
                                      "https://login.example/x{a}",
                                      "https://login.example/{a}x",
                                      "https://login.example/{}",
                                      "https://login.example/{a",
                                      "https://login.example/{a}/}",
                                      "https://login.example/{a b}",
                                      "{tenant}",
                                      "login.example/{tenant}"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_null(issuer_template_fault(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(issuer_template_fault(bad[i]));
}

#define TEMPLATE "https://login.example/{tenantid}/v2.0"

static void what_fits_a_template(void **state)
{
    (void)state;
    static const char *const any[] = {"*"};
    static const char *const two[] = {"contoso", "9188040d-6c67"};
    static const struct {
        const char *issuer;
        bool fits_any;
        bool fits_two;
    } cases[] = {{"https://login.example/contoso/v2.0", true, true},
                 {"https://login.example/9188040d-6c67/v2.0", true, true},
                 {"https://login.example/Contoso/v2.0", true, false},
                 {"https://login.example/contos/v2.0", true, false},
                 {"https://login.example/contosos/v2.0", true, false},
                 {"https://login.example//v2.0", false, false},
                 {"https://login.example/../v2.0", false, false},
                 {"https://login.example/./v2.0", false, false},
                 {"https://login.example/a/b/v2.0", false, false},
                 {"https://login.example/a%2Fb/v2.0", false, false},
                 {"https://login.example/contoso/v2.0/", false, false},
                 {"https://login.example/contoso/v2", false, false},
                 {"https://login.example/contoso", false, false},
                 {"https://login.example.evil/contoso/v2.0", false, false},
                 {"http://login.example/contoso/v2.0", false, false},
                 {TEMPLATE, false, false},
                 {"", false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(issuer_template_fits(TEMPLATE, cases[i].issuer, any, 1),
                         cases[i].fits_any);
        assert_int_equal(issuer_template_fits(TEMPLATE, cases[i].issuer, two, 2),
                         cases[i].fits_two);
        assert_false(issuer_template_fits(TEMPLATE, cases[i].issuer, NULL, 0));
    }
}

static void names_that_meet(void **state)
{
    (void)state;
    assert_true(issuer_names_meet("https://i/a", false, "https://i/a", false));
    assert_false(issuer_names_meet("https://i/a", false, "https://i/b", false));
    assert_false(issuer_names_meet("https://i/a", false, "https://i/a/", false));
    assert_true(issuer_names_meet("https://i/{t}/v", true, "https://i/a/v", false));
    assert_true(issuer_names_meet("https://i/a/v", false, "https://i/{t}/v", true));
    assert_true(issuer_names_meet("https://i/{t}/v", true, "https://i/{u}/v", true));
    assert_true(issuer_names_meet("https://i/{t}/v", true, "https://i/x/{u}", true));
    assert_false(issuer_names_meet("https://i/{t}/v", true, "https://i/a/w", false));
    assert_false(issuer_names_meet("https://i/{t}/v", true, "https://i/a/v/w", false));
    assert_false(issuer_names_meet("https://i/{t}/v", true, "https://j/{t}/v", true));
    /* Without tenants braces are braces. */
    assert_false(issuer_names_meet("https://i/{t}/v", false, "https://i/a/v", false));
}

static void trust_domains(void **state)
{
    (void)state;
    assert_true(is_trust_domain("example.org"));
    assert_true(is_trust_domain("a-b_c.9"));
    assert_false(is_trust_domain(""));
    assert_false(is_trust_domain("Example.org"));
    assert_false(is_trust_domain("spiffe://example.org"));
    assert_false(is_trust_domain("example.org/a"));
    assert_true(is_in_trust_domain("spiffe://example.org/w", "example.org"));
    assert_false(is_in_trust_domain("spiffe://example.org/", "example.org"));
    assert_false(is_in_trust_domain("spiffe://example.org", "example.org"));
    assert_false(is_in_trust_domain("spiffe://example.org.evil/w", "example.org"));
    assert_false(is_in_trust_domain("spiffe://evil/example.org/w", "example.org"));
    assert_false(is_in_trust_domain("https://example.org/w", "example.org"));
    assert_false(is_in_trust_domain("", "example.org"));
    assert_false(is_in_trust_domain("spiffe:/", "example.org"));
}

/* SPIFFE-ID section 2.2, and its longest ID of section 2.3. */
static void paths_of_workloads(void **state)
{
    static const char *const good[] = {"/a",   "/A-Z_0.9/b", "/ns/prod/sa/web", "/...", "/.a",
                                       "/a..", "/-"};
    static const char *const bad[] = {
        "/",         "/a/",     "/a//b", "//a",   "/.",   "/..",        "/a/..", "/./a",
        "/a b",      "/a%2f",   "/a?b",  "/a#b",  "/a:b", "/a@b",       "/a~",   "/a\n",
        "/\xc3\xa4", "/a/../b", "/a;b",  "/a\\b", "/*",   "/a/%2e%2e/b"};
    char text[2100];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        (void)snprintf(text, sizeof text, "spiffe://example.org%s", good[i]);
        if (!is_in_trust_domain(text, "example.org"))
            fail_msg("refused: %s", text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        (void)snprintf(text, sizeof text, "spiffe://example.org%s", bad[i]);
        if (is_in_trust_domain(text, "example.org"))
            fail_msg("taken: %s", text);
    }
    (void)snprintf(text, sizeof text, "spiffe://example.org/%02027d", 0);
    assert_int_equal(strlen(text), 2048);
    assert_true(is_in_trust_domain(text, "example.org"));
    (void)snprintf(text, sizeof text, "spiffe://example.org/%02028d", 0);
    assert_false(is_in_trust_domain(text, "example.org"));
}

/* ---- times ---- */

static enum refusal check_times(const char *payload, int64_t now_ms)
{
    static const struct time_limits limits = {30000, 10000, 3600000, 0};
    jtg_claims claims = JTG_CLAIMS_INIT;
    json_t *root = NULL;
    assert_int_equal(strict_json_read(&root, payload, strlen(payload)), JSON_FAULT_NONE);
    bool is_read = token_times_read(&claims, root);
    json_decref(root);
    return is_read ? token_times_check(&limits, &claims, false, now_ms) : REFUSAL_WRONG_TYPE;
}

static void times_to_the_millisecond(void **state)
{
    (void)state;
    assert_int_equal(check_times("{\"exp\":1000}", 1029999), REFUSAL_NONE);
    assert_int_equal(check_times("{\"exp\":1000}", 1030000), REFUSAL_EXPIRED);
    assert_int_equal(check_times("{\"exp\":1000.5}", 1030499), REFUSAL_NONE);
    assert_int_equal(check_times("{\"exp\":1000.5}", 1030500), REFUSAL_EXPIRED);
    assert_int_equal(check_times("{\"exp\":1000,\"iat\":900}", 890000), REFUSAL_NONE);
    assert_int_equal(check_times("{\"exp\":1000,\"iat\":900}", 889999), REFUSAL_ISSUED_IN_FUTURE);
    assert_int_equal(check_times("{\"exp\":1000,\"nbf\":900}", 889999), REFUSAL_NOT_YET_VALID);
    assert_int_equal(check_times("{\"exp\":1000,\"iat\":1000}", 999000),
                     REFUSAL_EXPIRES_BEFORE_ISSUED);
    assert_int_equal(check_times("{\"exp\":1000,\"nbf\":1001}", 999000),
                     REFUSAL_EXPIRES_BEFORE_ISSUED);
    assert_int_equal(check_times("{\"exp\":5000,\"iat\":1399}", 2000000),
                     REFUSAL_LIFETIME_TOO_LONG);
    assert_int_equal(check_times("{\"exp\":5000}", 1399999), REFUSAL_LIFETIME_TOO_LONG);
    assert_int_equal(check_times("{\"exp\":5000}", 1400000), REFUSAL_NONE);
    assert_int_equal(check_times("{}", 0), REFUSAL_MISSING_EXP);
    assert_int_equal(check_times("{\"exp\":253402300800}", 0), REFUSAL_UNREASONABLE_TIME);
    assert_int_equal(check_times("{\"exp\":1000,\"iat\":-1}", 0), REFUSAL_UNREASONABLE_TIME);
    assert_int_equal(check_times("{\"exp\":\"1000\"}", 0), REFUSAL_WRONG_TYPE);
    assert_int_equal(check_times("{\"exp\":null}", 0), REFUSAL_WRONG_TYPE);
    assert_int_equal(check_times("{\"exp\":[1000]}", 0), REFUSAL_WRONG_TYPE);
}

/* What the verifier accepts, the guard accepts: it would else be refused one step later. */
static void the_guard_judges_the_same(void **state)
{
    (void)state;
    static const int64_t offsets_s[] = {-90000, -86430, -86400, -400, -31, -30, -29,   -1,
                                        0,      1,      29,     30,   31,  400, 86400, 86401};
    enum { OFFSETS = sizeof offsets_s / sizeof *offsets_s };
    static const struct time_limits limits = {30000, 30000, 86400000, 0};
    jtg_cache *cache = NULL;
    jtg_guard *guard = NULL;
    jtg_clock clock = jtg_clock_system();
    assert_int_equal(jtg_memory_new(&cache, NULL, NULL), JTG_OK);
    assert_int_equal(jtg_guard_new(&guard, cache, NULL, NULL), JTG_OK);
    for (size_t i = 0; i < OFFSETS * OFFSETS; i++) {
        int64_t now_ms = clock.wall_ms(clock.context);
        jtg_claims claims = JTG_CLAIMS_INIT;
        jtg_decision decision = JTG_DECISION_INIT;
        char jti[32];
        (void)snprintf(jti, sizeof jti, "%zu", i);
        claims.kind = JTG_KIND_ID_TOKEN;
        claims.issuer = claims.audience = (jtg_text){"a", 1};
        claims.jti = (jtg_text){jti, strlen(jti)};
        /* Half a second off every limit, so that the time between two looks does not matter. */
        claims.iat_ms = now_ms + offsets_s[i / OFFSETS] * 1000 + 500;
        claims.exp_ms = now_ms + offsets_s[i % OFFSETS] * 1000 + 500;
        enum refusal refusal = token_times_check(&limits, &claims, false, now_ms);
        bool is_admitted = jtg_guard_admit(guard, &claims, &decision, NULL);
        assert_int_equal(is_admitted, refusal == REFUSAL_NONE);
        if (!is_admitted)
            assert_string_equal(refusal_name(refusal), jtg_reason_name(decision.reason));
    }
    jtg_guard_free(guard);
    jtg_cache_free(cache);
}

/* ---- nonces ---- */

static void nonces_live_for_their_slots(void **state)
{
    (void)state;
    struct rules rules = {.dpop_nonce = true, .dpop_nonce_slot_ms = 1000};
    struct rules other = {.dpop_nonce = true, .dpop_nonce_slot_ms = 1000, .dpop_nonce_key = {1}};
    int64_t made_ms = 0;
    char nonce[BASE64URL_HASH_BYTES];
    dpop_nonce_make(&rules, 5500, nonce);
    assert_int_equal(strlen(nonce), 43);
    assert_true(dpop_nonce_is_good(&rules, 5000, nonce, &made_ms));
    assert_int_equal(made_ms, 5000);
    assert_true(dpop_nonce_is_good(&rules, 6999, nonce, &made_ms));
    assert_int_equal(made_ms, 5000);
    assert_false(dpop_nonce_is_good(&rules, 7000, nonce, &made_ms));
    assert_true(dpop_nonce_is_good(&rules, 4000, nonce, &made_ms));
    assert_false(dpop_nonce_is_good(&rules, 3999, nonce, &made_ms));
    assert_false(dpop_nonce_is_good(&other, 5500, nonce, &made_ms));
    assert_false(dpop_nonce_is_good(&rules, 5500, "", &made_ms));
    nonce[0] = nonce[0] == 'A' ? 'B' : 'A';
    assert_false(dpop_nonce_is_good(&rules, 5500, nonce, &made_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url_has_one_spelling),
        cmocka_unit_test(base64url_goes_there_and_back),
        cmocka_unit_test(base64url_keeps_to_its_room),
        cmocka_unit_test(json_is_strict),
        cmocka_unit_test(json_nests_so_far),
        cmocka_unit_test(urls_of_one_spelling),
        cmocka_unit_test(texts_that_are_no_urls),
        cmocka_unit_test(urls_of_every_length),
        cmocka_unit_test(raw_letters_of_every_length),
        cmocka_unit_test(templates),
        cmocka_unit_test(what_fits_a_template),
        cmocka_unit_test(names_that_meet),
        cmocka_unit_test(trust_domains),
        cmocka_unit_test(paths_of_workloads),
        cmocka_unit_test(times_to_the_millisecond),
        cmocka_unit_test(the_guard_judges_the_same),
        cmocka_unit_test(nonces_live_for_their_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
