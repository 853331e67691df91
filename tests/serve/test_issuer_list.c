/* SPDX-License-Identifier: Apache-2.0 */
/* The list of issuers: where each member goes, what is refused and by which name, and what is
 * shown of it. */
#include "serve/settings/issuer_list.h"
#include "support/asserts.h"

#include <stdlib.h>
#include <string.h>

static struct issuer_list list;
static struct settings_problem problem;
static json_t *entries;

static int forget(void **state)
{
    (void)state;
    issuer_list_clear(&list);
    json_decref(entries);
    entries = NULL;
    return 0;
}

static bool read_list(const char *text)
{
    (void)forget(NULL);
    problem.text[0] = '\0';
    entries = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(entries);
    return issuer_list_read(&list, entries, &problem);
}

/* The members of one issuer, behind those that each needs. */
static bool read_one(const char *members)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "[{\"issuer\":\"https://i\",\"audience\":\"a\"%s%s}]",
                   *members != '\0' ? "," : "", members);
    return read_list(text);
}

static const struct issuer_settings *one(const char *members)
{
    if (!read_one(members))
        fail_msg("%s: %s", members, problem.text);
    assert_int_equal(list.count, 1);
    return &list.items[0];
}

static void assert_refused(bool taken, const char *what, const char *why)
{
    if (taken || strstr(problem.text, why) == NULL)
        fail_msg("%s: \"%s\" is not in \"%s\"", what, why, problem.text);
}

static void members_that_are_texts(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t offset;
    } texts[] = {
        {"issuer", offsetof(struct issuer_settings, issuer)},
        {"trust_domain", offsetof(struct issuer_settings, trust_domain)},
        {"jwks_token_file", offsetof(struct issuer_settings, keys_token_file)},
        {"jwks_ca_file", offsetof(struct issuer_settings, keys_ca_file)},
        {"client", offsetof(struct issuer_settings, client)},
        {"jti_claim", offsetof(struct issuer_settings, jti_claim)},
    };
    static const char *const wrong[] = {"5", "true", "null", "[\"x\"]", "\"\"", "\"a\\u0000b\""};
    char text[256];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        (void)snprintf(text, sizeof text, "[{\"%s\":\"it\",\"audience\":\"a\"%s}]", texts[i].name,
                       i == 0 ? "" : ",\"issuer\":\"https://i\"");
        assert_true(read_list(text));
        assert_string_equal(
            *(const char *const *)(const void *)((const char *)&list.items[0] + texts[i].offset),
            "it");
        for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++) {
            (void)snprintf(text, sizeof text, "[{\"audience\":\"a\",\"%s\":%s}]", texts[i].name,
                           wrong[j]);
            assert_refused(read_list(text), text, "wants a text that is not empty");
            assert_non_null(strstr(problem.text, texts[i].name));
        }
    }
}

static void members_that_are_lists(void **state)
{
    (void)state;
    assert_int_equal(one("\"tenant\":\"x\"")->tenants.count, 1);
    assert_int_equal(one("\"alg\":[\"ES256\",\"PS256\"]")->algs.count, 2);
    assert_string_equal(one("\"typ\":[\"at+jwt\",\"\"]")->typs.items[1], "");
    assert_string_equal(one("\"scope\":[\"s\"]")->scopes.items[0], "s");
    assert_refused(read_one("\"alg\":[]"), "none", "an array of 1 to 64 texts");
    assert_refused(read_one("\"alg\":{\"a\":1}"), "an object", "an array of 1 to 64 texts");
    assert_refused(read_one("\"typ\":[\"a\",5]"), "a number", "wants an array of texts");
    assert_refused(read_one("\"typ\":[\"a\\u0000\"]"), "a NUL", "wants an array of texts");
}

static void a_list_of_so_many(void **state)
{
    (void)state;
    char text[8 * (VERIFY_LIST_LIMIT + 1) + 32] = "\"scope\":[";
    for (unsigned i = 0; i < VERIFY_LIST_LIMIT; i++)
        (void)snprintf(text + strlen(text), 8, "%s\"%u\"", i > 0 ? "," : "", i);
    size_t len = strlen(text);
    (void)snprintf(text + len, 8, "]");
    assert_int_equal(one(text)->scopes.count, VERIFY_LIST_LIMIT);
    (void)snprintf(text + len, 8, ",\"x\"]");
    assert_refused(read_one(text), "one more", "an array of 1 to 64 texts");
}

static void kinds(void **state)
{
    (void)state;
    assert_int_equal(one("")->kind, JTG_KIND_ID_TOKEN);
    assert_int_equal(one("\"kind\":\"dpop_proof\"")->kind, JTG_KIND_DPOP_PROOF);
    assert_int_equal(one("\"kind\":\"workload\"")->kind, JTG_KIND_ID_TOKEN);
    assert_true(list.items[0].is_workload);
    assert_int_equal(one("\"kind\":\"custom\",\"custom_kind\":\"k\"")->kind, JTG_KIND_CUSTOM);
    assert_refused(read_one("\"kind\":\"saml_assertion\""), "saml", "kind wants id_token");
    assert_refused(read_one("\"kind\":\"security_event\""), "none of its", "kind wants id_token");
    assert_refused(read_one("\"kind\":\"ID_TOKEN\""), "case", "kind wants id_token");
    assert_refused(read_one("\"kind\":1"), "a number", "kind wants id_token");
    assert_refused(read_one("\"kind\":\"custom\""), "no name", "go together");
    assert_refused(read_one("\"custom_kind\":\"k\""), "no kind", "go together");
}

static void times(void **state)
{
    (void)state;
    assert_int_equal(one("\"max_age\":\"5m\"")->max_age_s, 300);
    assert_int_equal(one("\"max_lifetime\":\"31d\"")->max_lifetime_s, JTG_MAX_LIFETIME_S_LIMIT);
    assert_int_equal(one("\"life_without_exp\":\"1s\"")->life_without_exp_s, 1);
    static const char *const wrong[] = {"60", "\"60\"", "\"0s\"", "\"32d\"", "\"-1s\"", "\"\""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char member[64];
        (void)snprintf(member, sizeof member, "\"max_age\":%s", wrong[i]);
        assert_refused(read_one(member), member, "max_age wants a duration of 1s to 31d");
    }
}

static void keys_come_from_one_place(void **state)
{
    (void)state;
    assert_int_equal(one("")->keys_from, KEYS_FROM_DISCOVERY);
    assert_null(list.items[0].keys_at);
    assert_int_equal(one("\"jwks_file\":\"f\"")->keys_from, KEYS_FROM_FILE);
    assert_int_equal(one("\"jwks_url\":\"https://u\"")->keys_from, KEYS_FROM_URL);
    assert_int_equal(one("\"discovery_url\":\"https://d\"")->keys_from, KEYS_FROM_DISCOVERY);
    assert_string_equal(list.items[0].keys_at, "https://d");
    assert_refused(read_one("\"jwks_file\":\"f\",\"jwks_url\":\"u\""), "two", "does not go with");
    assert_refused(read_one("\"jwks_url\":\"u\",\"discovery_url\":\"d\""), "two",
                   "does not go with");
}

static void headers_of_claims(void **state)
{
    (void)state;
    const struct issuer_settings *entry = one("\"claim_header\":[\"email=X-Email\",\"a b=X-A\"]");
    assert_int_equal(entry->header_count, 2);
    assert_string_equal(entry->headers[0].claim, "email");
    assert_string_equal(entry->headers[0].header, "X-Email");
    assert_string_equal(entry->headers[1].claim, "a b");
    static const char *const wrong[][2] = {
        {"=X-A", "wants CLAIM=NAME"},
        {"email", "wants CLAIM=NAME"},
        {"email=", "wants CLAIM=NAME"},
        {"email=X=Y", "wants CLAIM=NAME"},
        {"email=X Y", "wants CLAIM=NAME"},
        {"email=dpop-NONCE", "names a header that is the service's own"},
        {"email=X-JTI-Result", "names a header that is the service's own"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char member[64];
        (void)snprintf(member, sizeof member, "\"claim_header\":\"%s\"", wrong[i][0]);
        assert_refused(read_one(member), member, wrong[i][1]);
    }
}

/* They lie in one piece of memory, and none in another's. */
static void headers_of_several_issuers(void **state)
{
    (void)state;
    assert_true(read_list("[{\"issuer\":\"i\",\"audience\":\"a\",\"claim_header\":[\"a=X-A\"]},"
                          "{\"issuer\":\"j\",\"audience\":\"a\"},"
                          "{\"issuer\":\"k\",\"audience\":\"a\",\"claim_header\":\"b=X-B\"}]"));
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0].headers[0].header, "X-A");
    assert_int_equal(list.items[1].header_count, 0);
    assert_int_equal(list.items[2].header_count, 1);
    assert_string_equal(list.items[2].headers[0].claim, "b");
}

static void what_is_no_list(void **state)
{
    (void)state;
    static const char *const wrong[] = {"{}", "[]", "\"x\"", "5", "null"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused(read_list(wrong[i]), wrong[i], "an array of 1 to 64 objects");
    assert_refused(read_list("[{\"issuer\":\"i\",\"audience\":\"a\"},7]"), "a number",
                   "entry 1 is no object");
    assert_refused(read_list("[{\"issuer\":\"i\",\"audience\":\"a\"},{\"issuer\":\"j\"}]"),
                   "the second", "entry 1: needs audience");
    assert_refused(read_list("[{\"audience\":\"a\"}]"), "nobody's",
                   "needs issuer, or trust_domain");
    assert_refused(read_one("\"Audience\":\"b\""), "case", "Audience is no member of an issuer");
}

static void so_many_issuers(void **state)
{
    (void)state;
    for (size_t count = VERIFY_ISSUERS_LIMIT; count <= VERIFY_ISSUERS_LIMIT + 1; count++) {
        (void)forget(NULL);
        entries = json_array();
        for (size_t i = 0; i < count; i++)
            (void)json_array_append_new(entries,
                                        json_pack("{s:s, s:s}", "issuer", "i", "audience", "a"));
        assert_int_equal(issuer_list_read(&list, entries, &problem), count == VERIFY_ISSUERS_LIMIT);
    }
    assert_non_null(strstr(problem.text, "an array of 1 to 64 objects"));
}

/* ---- shown ---- */

static char *dump(void)
{
    json_t *shown = issuer_list_dump(&list);
    char *text = json_dumps(shown, JSON_COMPACT);
    json_decref(shown);
    assert_non_null(text);
    return text;
}

/* What is shown can be taken for settings again, and is the same. */
static void what_is_shown_reads_as_it_was(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "\"kind\":\"workload\",\"jwks_file\":\"f\",\"max_age\":\"5m\"",
        "\"tenant\":[\"a\",\"b\"],\"discovery_url\":\"https://d/x\",\"client\":\"c\"",
        "\"kind\":\"custom\",\"custom_kind\":\"k\",\"alg\":\"ES256\",\"claim_header\":\"e=X-E\"",
        "\"kind\":\"logout_token\",\"life_without_exp\":\"2m\",\"jwks_url\":\"https://u/k\"",
        "\"jti_claim\":\"uti\",\"scope\":[\"s\"],\"typ\":[\"\"],\"max_lifetime\":\"1h\""};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)one(cases[i]);
        char *first = dump();
        assert_true(read_list(first));
        char *second = dump();
        assert_string_equal(first, second);
        free(first);
        free(second);
    }
}

static void nothing_secret_is_shown(void **state)
{
    (void)state;
    (void)one("\"jwks_url\":\"https://user:CANARY@h/keys?code=CANARY\"");
    char *shown = dump();
    assert_null(strstr(shown, "CANARY"));
    assert_non_null(strstr(shown, "(not shown)"));
    free(shown);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, forget)
    const struct CMUnitTest tests[] = {
        TEST(members_that_are_texts),
        TEST(members_that_are_lists),
        TEST(a_list_of_so_many),
        TEST(kinds),
        TEST(times),
        TEST(keys_come_from_one_place),
        TEST(headers_of_claims),
        TEST(headers_of_several_issuers),
        TEST(what_is_no_list),
        TEST(so_many_issuers),
        TEST(what_is_shown_reads_as_it_was),
        TEST(nothing_secret_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
