/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens in a form: where providers put logout tokens, and clients their assertions. */
#include "serve/http/form.h"
#include "serve/service_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM "application/x-www-form-urlencoded"
#define TYPE                                                                                       \
    "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"

/* ---- the form alone ---- */

static void assert_form(const char *body, enum form_answer answer, const char *expected)
{
    char *value = NULL;
    assert_int_equal(form_find(body, strlen(body), "name", &value), answer);
    if (answer == FORM_FOUND)
        assert_string_equal(value, expected);
    else
        assert_null(value);
    free(value);
}

static void fields_of_a_form(void **state)
{
    (void)state;
    assert_form("name=a", FORM_FOUND, "a");
    assert_form("x=1&name=a&y=2", FORM_FOUND, "a");
    assert_form("name=a%2Eb+c%20d", FORM_FOUND, "a.b c d");
    assert_form("n%61me=a", FORM_FOUND, "a");
    assert_form("name=a=b", FORM_FOUND, "a=b");
    assert_form("name=", FORM_FOUND, "");
    assert_form("name", FORM_FOUND, "");
    assert_form("&&name=a&", FORM_FOUND, "a");
    assert_form("", FORM_ABSENT, NULL);
    assert_form("names=a&nam=b&Name=c", FORM_ABSENT, NULL);
    assert_form("name=a&name=a", FORM_REPEATED, NULL);
    assert_form("name=a&n%61me=b", FORM_REPEATED, NULL);
    assert_form("name=%", FORM_MALFORMED, NULL);
    assert_form("name=%4", FORM_MALFORMED, NULL);
    assert_form("name=%zz", FORM_MALFORMED, NULL);
    assert_form("name=%00", FORM_MALFORMED, NULL);
    assert_form("name=a&%zz=b", FORM_MALFORMED, NULL);
    char *value = NULL;
    assert_int_equal(form_find("name=a\0b", 8, "name", &value), FORM_MALFORMED);
    assert_int_equal(form_find(NULL, 0, "name", &value), FORM_ABSENT);
}

/* With these parameters, in small letters and large ones. */
static void assert_typed(const char *parameters)
{
    char *small = text_of(FORM "%s", parameters);
    char *large = text_of("APPLICATION/X-WWW-FORM-URLENCODED%s", parameters);
    assert_true(form_is_type(small, strlen(small)));
    assert_true(form_is_type(large, strlen(large)));
    free(large);
    free(small);
}

static void types_of_a_form(void **state)
{
    (void)state;
    static const char *const good[] = {"", ";charset=UTF-8", " ; charset=UTF-8"};
    static const char *const bad[] = {"", "application/json", "application/x-www-form",
                                      "application/x-www-form-urlencodedx", "multipart/form-data"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_typed(good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(form_is_type(bad[i], strlen(bad[i])));
}

/* ---- on /check ---- */

static struct served served;

static int set_up(void **state)
{
    (void)state;
    served_init(&served);
    char *keys = text_of("\"issuer\":\"" SERVED_ISSUER "\",\"audience\":\"" SERVED_AUDIENCE
                         "\",\"jwks_file\":\"%s/keys.json\"",
                         served.folder);
    char *config = text_of("{\"issuers\":[{%s},{%s,\"kind\":\"logout_token\"},"
                           "{%s,\"kind\":\"client_assertion\",\"typ\":"
                           "[\"client-authentication+jwt\"]}]}",
                           keys, keys, keys);
    served_write(&served, "config.json", config);
    free(config);
    free(keys);
    served_argument(&served, "--config=%s/config.json", served.folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    served_end(&served);
    return 0;
}

static void start_with_fields(void)
{
    served_argument(&served, "--form-field=logout_token");
    served_argument(&served, "--form-field=client_assertion");
    served_start(&served);
}

static char *sign(const char *typ, const char *jti, const char *subject, const char *more)
{
    char *payload = text_of("{\"iss\":\"" SERVED_ISSUER "\",\"aud\":\"" SERVED_AUDIENCE
                            "\",\"sub\":\"%s\",\"jti\":\"%s\",\"iat\":%ld,\"exp\":%ld%s}",
                            subject, jti, SERVED_NOW_S, SERVED_NOW_S + 60, more);
    char *token = signer_token(served.signer, typ, SERVED_KID, payload);
    free(payload);
    return token;
}

static char *logout_token(const char *jti)
{
    return sign("logout+jwt", jti, "u",
                ",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}");
}

/* body is freed; more: header lines. */
static void assert_sent(const char *method, const char *type, const char *more, char *body,
                        unsigned status, const char *reason)
{
    struct http_answer answer;
    char *request = text_of("%s /check HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n"
                            "Content-Length: %zu\r\n%s\r\n%s",
                            method, type, strlen(body), more, body);
    assert_true(http_ask(service_port(served.service, HTTP_MAIN), request, &answer));
    if (strcmp(http_header(&answer, "X-JTI-Reason"), reason) != 0)
        fail_msg("%s, and not %s", http_header(&answer, "X-JTI-Reason"), reason);
    assert_int_equal(answer.status, status);
    http_answer_clear(&answer);
    free(request);
    free(body);
}

static void assert_posted(const char *type, const char *more, char *body, unsigned status,
                          const char *reason)
{
    assert_sent("POST", type, more, body, status, reason);
}

static char *body_with(const char *before, char *token, const char *behind)
{
    char *body = text_of("%s%s%s", before, token, behind);
    free(token);
    return body;
}

static void a_logout_token_in_a_form(void **state)
{
    (void)state;
    start_with_fields();
    assert_posted(FORM, "", body_with("logout_token=", logout_token("1"), ""), 200, "admitted");
    assert_posted(FORM, "", body_with("logout_token=", logout_token("1"), ""), 403, "replayed");
    assert_posted(FORM, "", body_with("x=1&logout_token=", logout_token("2"), "&y"), 200,
                  "admitted");
    /* The same one in the head is the same one. */
    char *token = logout_token("3");
    char *head = text_of("Authorization: Bearer %s\r\n", token);
    assert_posted("text/plain", head, text_of("%s", ""), 200, "admitted");
    assert_posted(FORM, "", body_with("logout_token=", token, ""), 403, "replayed");
    free(head);
}

static void a_client_assertion_in_a_form(void **state)
{
    (void)state;
    start_with_fields();
    for (int i = 0; i < 2; i++) {
        char *token = sign("client-authentication+jwt", "1", SERVED_ISSUER, "");
        assert_posted(FORM, "",
                      body_with("grant_type=client_credentials&client_assertion=", token, "&" TYPE),
                      i == 0 ? 200 : 403, i == 0 ? "admitted" : "replayed");
    }
    char *token = sign("client-authentication+jwt", "2", SERVED_ISSUER, "");
    assert_posted(FORM, "", text_of("client_assertion=%s", token), 401, "malformed_authorization");
    assert_posted(FORM, "", text_of("client_assertion=%s&client_assertion_type=saml2", token), 401,
                  "malformed_authorization");
    free(token);
}

/* Whoever may put a token into a field may not choose what it is. */
static void a_field_holds_its_own_kind(void **state)
{
    (void)state;
    start_with_fields();
    assert_posted(FORM, "", body_with("logout_token=", served_token(&served, "1", ""), ""), 401,
                  "wrong_kind");
    assert_posted(FORM, "", body_with("client_assertion=", logout_token("2"), "&" TYPE), 401,
                  "wrong_kind");
    assert_int_equal(served_decisions(&served, "check", "admitted", "admitted"), 0);
}

static void one_place_for_a_token(void **state)
{
    (void)state;
    start_with_fields();
    char *token = logout_token("1");
    char *head = text_of("Authorization: Bearer %s\r\n", token);
    assert_posted(FORM, head, text_of("logout_token=%s", token), 401, "repeated_authorization");
    assert_posted(FORM, "", text_of("logout_token=%s&logout_token=%s", token, token), 401,
                  "repeated_authorization");
    assert_posted(FORM, "", text_of("logout_token=%s&client_assertion=%s&%s", token, token, TYPE),
                  401, "repeated_authorization");
    assert_posted(FORM, "", text_of("logout_token=%%zz"), 401, "malformed_authorization");
    assert_posted(FORM, "", text_of("logout_token="), 401, "malformed_authorization");
    assert_posted(FORM, "", text_of("logout_token=two%%20words"), 401, "malformed_authorization");
    assert_posted(FORM, "", text_of("other=1"), 401, "missing_token");
    assert_posted("application/json", "", text_of("logout_token=%s", token), 401, "missing_token");
    /* None of this has used it up. */
    assert_posted(FORM, "", text_of("logout_token=%s", token), 200, "admitted");
    free(head);
    free(token);
}

static void only_a_post_holds_a_form(void **state)
{
    (void)state;
    static const char *const others[] = {"GET",     "PUT",   "PATCH", "DELETE",
                                         "OPTIONS", "QUERY", "post"};
    start_with_fields();
    char *token = logout_token("1");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_sent(others[i], FORM, "", text_of("logout_token=%s", token), 401, "missing_token");
    char *other = logout_token("2");
    char *head = text_of("Authorization: Bearer %s\r\n", other);
    assert_sent("PUT", FORM, head, text_of("logout_token=%s", token), 200, "admitted");
    assert_posted(FORM, "", text_of("logout_token=%s", token), 200, "admitted");
    free(head);
    free(other);
    free(token);
}

static void a_form_counts_for_nothing_unasked(void **state)
{
    (void)state;
    served_start(&served);
    char *token = logout_token("1");
    char *head = text_of("Authorization: Bearer %s\r\n", token);
    assert_posted(FORM, "", text_of("logout_token=%s", token), 401, "missing_token");
    assert_posted(FORM, head, text_of("logout_token=%s", token), 200, "admitted");
    free(head);
    free(token);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_a_form),      cmocka_unit_test(types_of_a_form),
        TEST(a_logout_token_in_a_form),          TEST(a_client_assertion_in_a_form),
        TEST(a_field_holds_its_own_kind),        TEST(one_place_for_a_token),
        TEST(a_form_counts_for_nothing_unasked), TEST(only_a_post_holds_a_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
