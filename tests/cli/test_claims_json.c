/* SPDX-License-Identifier: Apache-2.0 */
#include "claims_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const struct claims_rules no_rules = {JTG_KIND_NONE, JTG_TEXT_INIT, JTG_TEXT_INIT};

static int reason_of_bytes(const char *text, size_t text_len, const struct claims_rules *rules)
{
    struct claims_json read;
    int reason = claims_json_read(&read, text, text_len, rules);
    claims_json_clear(&read);
    return reason;
}

static int reason_of(const char *text)
{
    return reason_of_bytes(text, strlen(text), &no_rules);
}

static jtg_kind kind_of(const char *text)
{
    struct claims_json read;
    assert_int_equal(claims_json_read(&read, text, strlen(text), &no_rules), JTG_REASON_UNDECIDED);
    jtg_kind kind = read.claims.kind;
    claims_json_clear(&read);
    return kind;
}

static void assert_text(jtg_text text, const char *expected)
{
    assert_int_equal(text.data_len, strlen(expected));
    assert_memory_equal(text.data, expected, text.data_len);
}

static void reads_every_claim(void **state)
{
    (void)state;
    static const char text[] = "{\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"j\",\"azp\":\"c\","
                               "\"jkt\":\"t\",\"iat\":10,\"nbf\":11.5,\"exp\":12}";
    struct claims_json read;
    assert_int_equal(claims_json_read(&read, text, strlen(text), &no_rules), JTG_REASON_UNDECIDED);
    assert_int_equal(read.claims.kind, JTG_KIND_ID_TOKEN);
    assert_text(read.claims.issuer, "i");
    assert_text(read.claims.audience, "a");
    assert_text(read.claims.jti, "j");
    assert_text(read.claims.client, "c");
    assert_text(read.claims.thumbprint, "t");
    assert_int_equal(read.claims.iat_ms, 10000);
    assert_int_equal(read.claims.nbf_ms, 11500);
    assert_int_equal(read.claims.exp_ms, 12000);
    claims_json_clear(&read);
}

static void leaves_absent_what_is_absent(void **state)
{
    (void)state;
    struct claims_json read;
    assert_int_equal(claims_json_read(&read, "{}", 2, &no_rules), JTG_REASON_UNDECIDED);
    assert_int_equal(read.claims.issuer.data_len, 0);
    assert_int_equal(read.claims.jti.data_len, 0);
    assert_int_equal(read.claims.audience.data_len, 0);
    assert_true(read.claims.iat_ms == JTG_TIME_ABSENT);
    assert_true(read.claims.exp_ms == JTG_TIME_ABSENT);
    claims_json_clear(&read);
}

static void infers_the_kind_from_the_claims(void **state)
{
    (void)state;
    static const char event[] = "{\"events\":{\"http://schemas.openid.net/event/"
                                "backchannel-logout\":{}}}";
    assert_int_equal(kind_of("{\"htm\":\"GET\",\"htu\":\"u\"}"), JTG_KIND_DPOP_PROOF);
    assert_int_equal(kind_of("{\"htm\":\"GET\"}"), JTG_KIND_ID_TOKEN);
    assert_int_equal(kind_of(event), JTG_KIND_LOGOUT_TOKEN);
    assert_int_equal(kind_of("{\"events\":[]}"), JTG_KIND_ID_TOKEN);
    assert_int_equal(kind_of("{\"iss\":\"x\",\"sub\":\"x\"}"), JTG_KIND_CLIENT_ASSERTION);
    assert_int_equal(kind_of("{\"iss\":\"x\",\"sub\":\"y\"}"), JTG_KIND_ID_TOKEN);
    assert_int_equal(kind_of("{\"sub\":\"x\"}"), JTG_KIND_ID_TOKEN);
    assert_int_equal(kind_of("{\"ID\":\"_1\"}"), JTG_KIND_SAML_ASSERTION);
    assert_int_equal(kind_of("{\"NotOnOrAfter\":1}"), JTG_KIND_SAML_ASSERTION);
    /* Asked for: the claims have no say. */
    struct claims_rules rules = {JTG_KIND_LOGOUT_TOKEN, JTG_TEXT_INIT, JTG_TEXT_INIT};
    struct claims_json read;
    assert_int_equal(claims_json_read(&read, "{\"ID\":\"x\"}", 10, &rules), JTG_REASON_UNDECIDED);
    assert_int_equal(read.claims.kind, JTG_KIND_LOGOUT_TOKEN);
    assert_int_equal(read.claims.jti.data_len, 0);
    claims_json_clear(&read);
}

static void reads_a_saml_assertion(void **state)
{
    (void)state;
    static const char text[] =
        "{\"Issuer\":\"i\",\"ID\":\"_1\",\"Audience\":[\"sp\"],\"NotBefore\":5,"
        "\"IssueInstant\":\"1970-01-01T00:00:07.25Z\",\"NotOnOrAfter\":\"1970-01-01T01:00:09+01:"
        "00\"}";
    struct claims_json read;
    assert_int_equal(claims_json_read(&read, text, strlen(text), &no_rules), JTG_REASON_UNDECIDED);
    assert_text(read.claims.issuer, "i");
    assert_text(read.claims.jti, "_1");
    assert_text(read.claims.audience, "sp");
    assert_int_equal(read.claims.nbf_ms, 5000);
    assert_int_equal(read.claims.iat_ms, 7250);
    assert_int_equal(read.claims.exp_ms, 9000);
    claims_json_clear(&read);
}

static void takes_the_thumbprint_from_cnf_too(void **state)
{
    (void)state;
    static const char text[] = "{\"htm\":\"G\",\"htu\":\"u\",\"cnf\":{\"jkt\":\"t\"}}";
    struct claims_json read;
    assert_int_equal(claims_json_read(&read, text, strlen(text), &no_rules), JTG_REASON_UNDECIDED);
    assert_text(read.claims.thumbprint, "t");
    claims_json_clear(&read);
}

static void joins_several_audiences_so_that_none_meet(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *audience;
    } cases[] = {{"{\"aud\":\"a\"}", "a"},
                 {"{\"aud\":[\"a\"]}", "a"},
                 {"{\"aud\":[\"a\",\"bc\"]}", "1:a,2:bc,"},
                 {"{\"aud\":[\"ab\",\"c\"]}", "2:ab,1:c,"},
                 {"{\"aud\":[\"\",\"\"]}", "0:,0:,"},
                 {"{\"aud\":[]}", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct claims_json read;
        assert_int_equal(claims_json_read(&read, cases[i].text, strlen(cases[i].text), &no_rules),
                         JTG_REASON_UNDECIDED);
        assert_text(read.claims.audience, cases[i].audience);
        claims_json_clear(&read);
    }
}

static int reason_with_audience(const char *text)
{
    struct claims_rules rules = {JTG_KIND_NONE, JTG_TEXT_INIT, {"me", 2}};
    struct claims_json read;
    int reason = claims_json_read(&read, text, strlen(text), &rules);
    if (reason == JTG_REASON_UNDECIDED && read.claims.kind != JTG_KIND_DPOP_PROOF)
        assert_text(read.claims.audience, "me");
    claims_json_clear(&read);
    return reason;
}

static void demands_the_audience_that_was_asked_for(void **state)
{
    (void)state;
    assert_int_equal(reason_with_audience("{\"aud\":\"me\"}"), JTG_REASON_UNDECIDED);
    assert_int_equal(reason_with_audience("{\"aud\":[\"you\",\"me\"]}"), JTG_REASON_UNDECIDED);
    assert_int_equal(reason_with_audience("{\"aud\":[\"you\",\"mee\"]}"), TOOL_WRONG_AUDIENCE);
    assert_int_equal(reason_with_audience("{\"aud\":[]}"), TOOL_WRONG_AUDIENCE);
    assert_int_equal(reason_with_audience("{\"aud\":\"me\\u0000\"}"), TOOL_WRONG_AUDIENCE);
    assert_int_equal(reason_with_audience("{}"), JTG_REASON_MISSING_AUDIENCE);
    assert_int_equal(reason_with_audience("{\"ID\":\"x\"}"), JTG_REASON_MISSING_AUDIENCE);
    assert_int_equal(reason_with_audience("{\"htm\":\"G\",\"htu\":\"u\"}"), JTG_REASON_UNDECIDED);
}

static void tells_bad_input_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int reason;
    } cases[] = {{"", TOOL_MALFORMED_JSON},
                 {"{", TOOL_MALFORMED_JSON},
                 {"{}{}", TOOL_MALFORMED_JSON},
                 {"{\"a\\u0000b\":1}", TOOL_MALFORMED_JSON},
                 {"{\"iss\":\"a\nb\"}", TOOL_MALFORMED_JSON},
                 {"7", TOOL_NOT_AN_OBJECT},
                 {"null", TOOL_NOT_AN_OBJECT},
                 {"[{}]", TOOL_NOT_AN_OBJECT},
                 {"{\"jti\":1,\"jti\":1}", TOOL_DUPLICATE_KEY},
                 {"{\"jti\":1,\"\\u006ati\":1}", TOOL_DUPLICATE_KEY},
                 {"{\"x\":{\"a\":1,\"a\":2}}", TOOL_DUPLICATE_KEY},
                 {"{\"iss\":\"\xff\"}", TOOL_INVALID_UTF8},
                 {"{\"iss\":\"\xed\xa0\x80\"}", TOOL_INVALID_UTF8},
                 {"{\"iss\":\"\xc0\xaf\"}", TOOL_INVALID_UTF8},
                 {"{\"x\":1e999}", TOOL_NUMBER_TOO_BIG},
                 {"{\"jti\":7}", TOOL_WRONG_TYPE},
                 {"{\"jti\":null}", TOOL_WRONG_TYPE},
                 {"{\"iss\":[\"x\"]}", TOOL_WRONG_TYPE},
                 {"{\"aud\":7}", TOOL_WRONG_TYPE},
                 {"{\"aud\":[\"a\",7]}", TOOL_WRONG_TYPE},
                 {"{\"azp\":{}}", TOOL_WRONG_TYPE},
                 {"{\"exp\":\"1\"}", TOOL_MALFORMED_EXP},
                 {"{\"exp\":null}", TOOL_MALFORMED_EXP},
                 {"{\"exp\":\"2026-11-20T12:00:00Z\"}", TOOL_MALFORMED_EXP},
                 {"{\"iat\":true}", TOOL_MALFORMED_IAT},
                 {"{\"nbf\":[]}", TOOL_MALFORMED_NBF},
                 {"{\"ID\":\"x\",\"NotOnOrAfter\":\"soon\"}", TOOL_MALFORMED_EXP}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(reason_name(reason_of(cases[i].text)), reason_name(cases[i].reason));
}

static void keeps_a_nul_for_the_guard_to_refuse(void **state)
{
    (void)state;
    struct claims_json read;
    static const char text[] = "{\"jti\":\"a\\u0000b\"}";
    assert_int_equal(claims_json_read(&read, text, strlen(text), &no_rules), JTG_REASON_UNDECIDED);
    assert_int_equal(read.claims.jti.data_len, 3);
    claims_json_clear(&read);
    assert_int_equal(reason_of_bytes("{\"jti\":\"a\0b\"}", 13, &no_rules), TOOL_MALFORMED_JSON);
    assert_int_equal(reason_of_bytes("{}\0", 3, &no_rules), TOOL_MALFORMED_JSON);
}

static void makes_no_time_of_an_unreasonable_number_absent(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "-1", "-0.0001", "-1e300", "253402300800", "1e39", "1e300", "9223372036854775808"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[64];
        struct claims_json read;
        (void)snprintf(text, sizeof text, "{\"exp\":%s}", numbers[i]);
        assert_int_equal(claims_json_read(&read, text, strlen(text), &no_rules),
                         JTG_REASON_UNDECIDED);
        assert_true(read.claims.exp_ms == -1 || read.claims.exp_ms == JTG_TIME_MAX_MS + 1);
        claims_json_clear(&read);
    }
}

static void bears_deep_nesting(void **state)
{
    (void)state;
    enum { LEVELS = 100000 };
    struct bytes text = {NULL, 0, 0};
    assert_true(bytes_append_text(&text, "{\"iss\":"));
    for (int i = 0; i < LEVELS; i++)
        assert_true(bytes_append_text(&text, "["));
    assert_int_equal(reason_of_bytes(text.data, text.len, &no_rules), TOOL_TOO_DEEP);
    bytes_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_claim),
        cmocka_unit_test(leaves_absent_what_is_absent),
        cmocka_unit_test(infers_the_kind_from_the_claims),
        cmocka_unit_test(reads_a_saml_assertion),
        cmocka_unit_test(takes_the_thumbprint_from_cnf_too),
        cmocka_unit_test(joins_several_audiences_so_that_none_meet),
        cmocka_unit_test(demands_the_audience_that_was_asked_for),
        cmocka_unit_test(tells_bad_input_apart),
        cmocka_unit_test(keeps_a_nul_for_the_guard_to_refuse),
        cmocka_unit_test(makes_no_time_of_an_unreasonable_number_absent),
        cmocka_unit_test(bears_deep_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
