/* SPDX-License-Identifier: Apache-2.0 */
/* /check, as proxies ask it. */
#include "serve/answer/owner_tally.h"
#include "serve/service_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct served served;

static int set_up(void **state)
{
    (void)state;
    served_init(&served);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    served_end(&served);
    return 0;
}

#define assert_result(got, code, verdict, why)                                                     \
    do {                                                                                           \
        struct check_result result_ = (got);                                                       \
        assert_string_equal(result_.reason, (why));                                                \
        assert_string_equal(result_.result, (verdict));                                            \
        assert_int_equal(result_.status, (code));                                                  \
    } while (0)

static void a_token_is_admitted_once(void **state)
{
    (void)state;
    served_start(&served);
    assert_result(served_bearer(&served, served_token(&served, "1", "")), 200, "admitted",
                  "admitted");
    assert_result(served_bearer(&served, served_token(&served, "1", "")), 403, "replayed",
                  "replayed");
    assert_result(served_bearer(&served, served_token(&served, "2", "")), 200, "admitted",
                  "admitted");
    assert_true(served_decisions(&served, "check", "admitted", "admitted") == 2);
    assert_true(served_decisions(&served, "check", "replayed", "replayed") == 1);
}

static void claims_become_headers(void **state)
{
    (void)state;
    struct http_answer answer;
    served_argument(&served, "--claim-header=email=X-User-Email");
    served_argument(&served, "--claim-header=groups=X-User-Groups");
    served_start(&served);
    char *token = served_token(&served, "1", ",\"email\":\"a@b.example\",\"groups\":[\"x\",\"y\"]");
    char *headers = text_of("Authorization: bearer  %s\r\n", token);
    assert_int_equal(served_check(&served, headers, &answer), 200);
    assert_string_equal(http_header(&answer, "X-JTI-Subject"), "user-1");
    assert_string_equal(http_header(&answer, "X-JTI-Issuer"), SERVED_ISSUER);
    assert_string_equal(http_header(&answer, "X-User-Email"), "a@b.example");
    assert_string_equal(http_header(&answer, "X-User-Groups"), "[\"x\",\"y\"]");
    assert_string_equal(http_header(&answer, "Cache-Control"), "no-store");
    http_answer_clear(&answer);
    /* A refusal says nothing of whose token it was. */
    assert_int_equal(served_check(&served, headers, &answer), 403);
    assert_null(http_header(&answer, "X-JTI-Subject"));
    assert_null(http_header(&answer, "X-User-Email"));
    http_answer_clear(&answer);
    free(headers);
    free(token);
}

/* An empty text is no reason to refuse, least of all once the token is used up: as an absent claim,
 * it makes no header. */
/* A JWT-SVID: without iss, without jti, and for several audiences. */
static void a_token_of_a_trust_domain(void **state)
{
    (void)state;
    char *config = text_of("{\"trust_domain\":\"example.org\",\"audience\":\"" SERVED_AUDIENCE
                           "\",\"jwks_file\":\"%s/bundle.json\",\"missing_jti\":\"digest\"}",
                           served.folder);
    char *bundle = text_of("{\"keys\":[{\"kid\":\"" SERVED_KID "\",\"use\":\"jwt-svid\",%s}]}",
                           signer_members(served.signer));
    served_write(&served, "bundle.json", bundle);
    served_write(&served, "config.json", config);
    served_argument(&served, "--config=%s/config.json", served.folder);
    served_start(&served);
    char *payload = text_of("{\"aud\":[\"" SERVED_AUDIENCE "\",\"other\"],"
                            "\"sub\":\"spiffe://example.org/w\",\"exp\":%ld}",
                            SERVED_NOW_S + 60);
    char *token = signer_token(served.signer, "JOSE", SERVED_KID, payload);
    char *headers = text_of("Authorization: Bearer %s\r\n", token);
    for (int i = 0; i < 2; i++) {
        struct http_answer answer;
        assert_int_equal(served_check(&served, headers, &answer), i == 0 ? 200 : 403);
        if (i == 0) {
            assert_string_equal(http_header(&answer, "X-JTI-Issuer"), "spiffe://example.org");
            assert_string_equal(http_header(&answer, "X-JTI-Subject"), "spiffe://example.org/w");
        }
        http_answer_clear(&answer);
    }
    free(served_log(&served, "issuers=example.org"));
    free(headers);
    free(token);
    free(payload);
    free(bundle);
    free(config);
}

static void reload_with(const char *issuers)
{
    struct settings_problem problem = {{0}};
    char *config = text_of("{\"missing_jti\":\"digest\",\"issuers\":[%s]}", issuers);
    served_write(&served, "config.json", config);
    if (served.service != NULL) {
        struct service_settings *settings = served_settings(&served, &problem);
        assert_non_null(settings);
        assert_true(service_reload(served.service, settings, &problem));
    }
    free(config);
}

/* The iss of a trust domain's tokens comes to have an entry, and loses it again. */
static void a_used_token_changes_its_entry(void **state)
{
    (void)state;
    char *domain = text_of("{\"trust_domain\":\"example.org\",\"audience\":\"" SERVED_AUDIENCE
                           "\",\"jwks_file\":\"%s/bundle.json\"}",
                           served.folder);
    char *both = text_of("%s,{\"issuer\":\"https://oidc.example.org\",\"kind\":\"workload\","
                         "\"audience\":\"" SERVED_AUDIENCE "\",\"jwks_file\":\"%s/keys.json\"}",
                         domain, served.folder);
    char *bundle = text_of("{\"keys\":[{\"kid\":\"" SERVED_KID "\",\"use\":\"jwt-svid\",%s}]}",
                           signer_members(served.signer));
    const char *const rounds[][2] = {{domain, both}, {both, domain}};
    served_write(&served, "bundle.json", bundle);
    reload_with(domain);
    served_argument(&served, "--config=%s/config.json", served.folder);
    served_start(&served);
    for (int i = 0; i < 4; i++) {
        /* With a jti of its own, and by its digest. */
        char *payload = text_of("{\"iss\":\"https://oidc.example.org\",\"aud\":\"" SERVED_AUDIENCE
                                "\",\"sub\":\"spiffe://example.org/%d\",\"exp\":%ld%s%d\"}",
                                i, SERVED_NOW_S + 60, i < 2 ? ",\"jti\":\"" : ",\"x\":\"", i);
        char *token = signer_token(served.signer, "JWT", SERVED_KID, payload);
        reload_with(rounds[i % 2][0]);
        assert_int_equal(served_bearer(&served, strdup(token)).status, 200);
        reload_with(rounds[i % 2][1]);
        assert_string_equal(served_bearer(&served, token).reason, "replayed");
        free(payload);
    }
    free(bundle);
    free(both);
    free(domain);
}

static void an_empty_claim_makes_no_header(void **state)
{
    (void)state;
    struct http_answer answer;
    served_argument(&served, "--claim-header=email=X-User-Email");
    served_argument(&served, "--claim-header=name=X-User-Name");
    served_start(&served);
    char *token = served_token(&served, "1", ",\"email\":\"\",\"name\":\"a\"");
    char *headers = text_of("Authorization: Bearer %s\r\n", token);
    assert_int_equal(served_check(&served, headers, &answer), 200);
    assert_string_equal(http_header(&answer, "X-JTI-Reason"), "admitted");
    assert_null(http_header(&answer, "X-User-Email"));
    assert_string_equal(http_header(&answer, "X-User-Name"), "a");
    http_answer_clear(&answer);
    free(headers);
    free(token);
}

/* A token with claims for all headers but the subject's and the issuer's: `bytes` in all. */
static char *token_with_headers(const char *jti, size_t bytes)
{
    size_t own = strlen("user-1") + strlen(SERVED_ISSUER) + 8 * strlen("X-C0");
    char more[CLAIM_HEADERS_MAX_BYTES + 256] = "";
    size_t left = bytes - own;
    for (int i = 0; i < 8; i++) {
        size_t len = i < 7 ? 1000 : left;
        size_t at = strlen(more);
        (void)snprintf(more + at, sizeof more - at, ",\"c%d\":\"%0*d\"", i, (int)len, i);
        left -= len;
    }
    return served_token(&served, jti, more);
}

/* A head of `bytes` bytes that shows the token, which is freed. */
static char *padded_headers(char *token, size_t bytes)
{
    char *headers = text_of("Authorization: Bearer %s\r\nX-Pad: ", token);
    size_t frame = strlen("GET /check HTTP/1.1\r\nHost: x\r\n\r\n\r\n");
    char *padded = text_of("%s%0*d\r\n", headers, (int)(bytes - frame - strlen(headers)), 0);
    free(headers);
    free(token);
    return padded;
}

/* A token is not used up for an answer that cannot be sent. */
static void the_longest_head_has_room_for_the_longest_answer(void **state)
{
    (void)state;
    struct http_answer answer;
    for (int i = 0; i < 8; i++)
        served_argument(&served, "--claim-header=c%d=X-C%d", i, i);
    served_start(&served);
    char *headers = padded_headers(token_with_headers("1", CLAIM_HEADERS_MAX_BYTES),
                                   SERVICE_HEADER_BYTES_DEFAULT);
    assert_int_equal(served_check(&served, headers, &answer), 200);
    assert_int_equal(strlen(http_header(&answer, "X-C6")), 1000);
    http_answer_clear(&answer);
    free(headers);
    assert_result(served_bearer(&served, token_with_headers("2", CLAIM_HEADERS_MAX_BYTES + 1)), 401,
                  "refused", "unsafe_claim");
}

static void a_head_that_is_too_long_uses_no_token_up(void **state)
{
    (void)state;
    struct http_answer answer;
    served_start(&served);
    char *headers =
        padded_headers(served_token(&served, "1", ""), SERVICE_HEADER_BYTES_DEFAULT + 1);
    char *request = text_of("GET /check HTTP/1.1\r\nHost: x\r\n%s\r\n", headers);
    assert_true(http_ask(service_port(served.service, HTTP_MAIN), request, &answer));
    assert_int_equal(answer.status, 431);
    http_answer_clear(&answer);
    free(request);
    free(headers);
    assert_result(served_bearer(&served, served_token(&served, "1", "")), 200, "admitted",
                  "admitted");
}

static void any_method_and_any_path_below(void **state)
{
    (void)state;
    static const char *const lines[] = {"GET /check",          "HEAD /check",
                                        "POST /check",         "DELETE /check/api/items?id=7",
                                        "PUT /check?x=/other", "OPTIONS /check/"};
    served_start(&served);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char jti[16];
        struct http_answer answer;
        (void)snprintf(jti, sizeof jti, "m%zu", i);
        char *token = served_token(&served, jti, "");
        char *request = text_of("%s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                                "Authorization: Bearer %s\r\n\r\n",
                                lines[i], token);
        assert_true(http_ask(service_port(served.service, HTTP_MAIN), request, &answer));
        assert_int_equal(answer.status, 200);
        http_answer_clear(&answer);
        free(request);
        free(token);
    }
}

static void other_paths_are_not_found(void **state)
{
    (void)state;
    static const char *const paths[] = {"/",          "/checks",  "/Check",    "/%63heck",
                                        "//check",    "/metrics", "/readyz",   "/v1/reserve",
                                        "/check%2fx", "/livez",   "/v1/check", "/v1/release"};
    served_start(&served);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct http_answer answer;
        char *request = text_of("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
        assert_true(http_ask(service_port(served.service, HTTP_MAIN), request, &answer));
        if (answer.status != 404)
            fail_msg("%s: %u", paths[i], answer.status);
        http_answer_clear(&answer);
        free(request);
    }
}

/* Each status of the store, and what becomes of it: only refusals, each with its own name. */
static void every_answer_of_the_store(void **state)
{
    (void)state;
    served_start(&served);
    for (unsigned i = 1; i < JTG_STATUS_COUNT; i++) {
        char jti[16];
        jtg_status status = (jtg_status)i;
        jtg_reason reason = jtg_reason_from_status(status);
        const char *result = jtg_verdict_name(jtg_reason_verdict(reason));
        (void)snprintf(jti, sizeof jti, "s%u", i);
        served.store->answer = status;
        double before = served_decisions(&served, "check", result, jtg_reason_name(reason));
        struct check_result got = served_bearer(&served, served_token(&served, jti, ""));
        assert_string_equal(got.reason, jtg_reason_name(reason));
        assert_string_equal(got.result, result);
        assert_int_equal(got.status, 403);
        assert_true(served_decisions(&served, "check", result, got.reason) == before + 1);
    }
    served.store->answer = JTG_OK;
}

/* nginx asks twice for one request, and says so by its request id. */
static void one_owner_gets_one_answer(void **state)
{
    (void)state;
    struct http_answer answer;
    served_argument(&served, "--owner-header=X-Request-ID");
    served_start(&served);
    char *token = served_token(&served, "1", "");
    char *first = text_of("Authorization: Bearer %s\r\nx-request-id: r1\r\n", token);
    char *second = text_of("Authorization: Bearer %s\r\nX-Request-ID: r2\r\n", token);
    char *two =
        text_of("Authorization: Bearer %s\r\nX-Request-ID: r1\r\nX-Request-ID: r2\r\n", token);
    const struct {
        const char *headers;
        unsigned status;
    } asked[] = {{first, 200}, {first, 200}, {second, 403}, {first, 200}, {two, 403}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        assert_int_equal(served_check(&served, asked[i].headers, &answer), asked[i].status);
        http_answer_clear(&answer);
    }
    assert_true(served_decisions(&served, "check", "refused", "unusable_owner") == 1);
    free(two);
    free(second);
    free(first);
    free(token);
}

/* Without being configured, or from somebody who is no proxy of ours, it is only a header. */
static void an_owner_of_the_client_is_ignored(void **state)
{
    (void)state;
    static const char *const arguments[] = {"--subject-header=X-S", "--owner-header=X-Request-ID"};
    struct http_answer answer;
    for (size_t i = 0; i < 2; i++) {
        served_argument(&served, "%s", arguments[i]);
        if (i == 1)
            served_argument(&served, "--trusted-proxy=192.0.2.0/24");
        served_start(&served);
        char *token = served_token(&served, "1", "");
        char *headers = text_of("Authorization: Bearer %s\r\nX-Request-ID: r1\r\n", token);
        assert_int_equal(served_check(&served, headers, &answer), 200);
        http_answer_clear(&answer);
        assert_int_equal(served_check(&served, headers, &answer), 403);
        http_answer_clear(&answer);
        free(headers);
        free(token);
        served_end(&served);
        served_init(&served);
    }
    served_start(&served);
}

static void known_replays_do_not_reach_the_store(void **state)
{
    (void)state;
    served_start(&served);
    (void)served_bearer(&served, served_token(&served, "1", ""));
    char *token = served_token(&served, "1", "");
    assert_result(served_bearer(&served, strdup(token)), 403, "replayed", "replayed");
    /* The store would say something else now. */
    served.store->answer = JTG_ERR_UNAVAILABLE;
    assert_result(served_bearer(&served, strdup(token)), 403, "replayed", "replayed");
    assert_true(served_metric(&served, "jtiguard_replay_cache_hits_total") == 1);
    /* After its life the store is asked again. */
    test_clock_advance(&served.clock, 10000);
    assert_result(served_bearer(&served, strdup(token)), 403, "refused", "store_unavailable");
    free(token);
}

/* What is refused for another reason may be admitted a moment later. */
static void no_other_refusal_is_remembered(void **state)
{
    static const jtg_status answers[] = {JTG_ERR_UNAVAILABLE, JTG_ERR_FULL, JTG_ERR_TIMEOUT};
    (void)state;
    served_start(&served);
    char *token = served_token(&served, "1", "");
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        served.store->answer = answers[i];
        for (int times = 0; times < 2; times++) {
            struct check_result result = served_bearer(&served, strdup(token));
            assert_int_not_equal(result.status, 200);
            assert_string_not_equal(result.reason, "replayed");
        }
    }
    served.store->answer = JTG_OK;
    assert_result(served_bearer(&served, strdup(token)), 200, "admitted", "admitted");
    assert_true(served_metric(&served, "jtiguard_replay_cache_hits_total") == 0);
    free(token);
}

/* One question after another, at this time after the first, from whoever names the request so. */
struct question {
    int64_t at_ms;
    const char *id;
    unsigned status;
    double hits; /* replays that the store was not asked about, so far */
};

static void ask_in_turn(const struct question *questions, size_t count)
{
    struct http_answer answer;
    char *token = served_token(&served, "1", "");
    int64_t now_ms = 0;
    for (size_t i = 0; i < count; i++) {
        char *headers =
            text_of("Authorization: Bearer %s\r\nX-Request-ID: %s\r\n", token, questions[i].id);
        test_clock_advance(&served.clock, questions[i].at_ms - now_ms);
        now_ms = questions[i].at_ms;
        unsigned status = served_check(&served, headers, &answer);
        if (status != questions[i].status)
            fail_msg("question %zu: %u", i, status);
        assert_true(served_metric(&served, "jtiguard_replay_cache_hits_total") ==
                    questions[i].hits);
        http_answer_clear(&answer);
        free(headers);
    }
    free(token);
}

/* The one who holds it may ask again: a known replay keeps quiet for as long as that takes. */
static void known_replays_keep_quiet_before_owners(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {0, "mine", 200, 0},       {0, "another", 403, 0},     {4999, "mine", 200, 0},
        {9999, "other", 403, 0},   {10000, "another", 403, 1}, {19999, "another", 403, 2},
        {20000, "another", 403, 2}};
    served_argument(&served, "--owner-header=X-Request-ID");
    served_argument(&served, "--owner-quiet=5s");
    served_start(&served);
    ask_in_turn(questions, sizeof questions / sizeof *questions);
}

/* Two replays that lie apart by any time are no reason to refuse the one who was admitted. */
static void replays_before_it_spoil_no_second_question(void **state)
{
    (void)state;
    static const struct question questions[] = {{0, "mine", 200, 0},     {1, "another", 403, 0},
                                                {2600, "other", 403, 0}, {2700, "mine", 200, 0},
                                                {4900, "third", 403, 0}, {4999, "mine", 200, 0}};
    served_argument(&served, "--owner-header=X-Request-ID");
    served_argument(&served, "--owner-quiet=5s");
    served_start(&served);
    ask_in_turn(questions, sizeof questions / sizeof *questions);
}

/* A client that came to choose the id has a few seconds of its token, not the token's life. */
static void an_owner_is_admitted_again_for_seconds(void **state)
{
    (void)state;
    static const struct question questions[] = {{0, "mine", 200, 0},     {5000, "mine", 200, 0},
                                                {10000, "mine", 403, 0}, {15000, "mine", 403, 0},
                                                {60000, "mine", 403, 0}, {290000, "mine", 403, 0}};
    served_argument(&served, "--owner-header=X-Request-ID");
    served_argument(&served, "--owner-quiet=5s");
    served_argument(&served, "--replay-cache=0");
    served_start(&served);
    ask_in_turn(questions, sizeof questions / sizeof *questions);
}

/* Nor as many uses in these seconds as it likes. */
static void an_owner_is_admitted_a_few_times(void **state)
{
    (void)state;
    struct question questions[OWNER_TIMES + 3];
    served_argument(&served, "--owner-header=X-Request-ID");
    served_argument(&served, "--replay-cache=0");
    served_start(&served);
    for (size_t i = 0; i < OWNER_TIMES + 3; i++)
        questions[i] = (struct question){0, "mine", i < OWNER_TIMES ? 200 : 403, 0};
    ask_in_turn(questions, OWNER_TIMES + 3);
    assert_true(served_decisions(&served, "check", "admitted", "admitted") == OWNER_TIMES);
    /* Another token of the same id is another matter. */
    struct http_answer answer;
    char *token = served_token(&served, "2", "");
    char *headers = text_of("Authorization: Bearer %s\r\nX-Request-ID: mine\r\n", token);
    assert_int_equal(served_check(&served, headers, &answer), 200);
    http_answer_clear(&answer);
    free(headers);
    free(token);
}

static unsigned check_as(const char *id, const char *token, unsigned times)
{
    char *headers = text_of("Authorization: Bearer %s\r\nX-Request-ID: %s\r\n", token, id);
    unsigned admitted = 0;
    for (unsigned i = 0; i < times; i++) {
        struct http_answer answer;
        admitted += served_check(&served, headers, &answer) == 200 ? 1 : 0;
        http_answer_clear(&answer);
    }
    free(headers);
    return admitted;
}

/* Nor once more for each spelling of its signature: whoever has the token can write the second. */
static void other_signatures_are_no_other_uses(void **state)
{
    (void)state;
    served_argument(&served, "--owner-header=X-Request-ID");
    served_start(&served);
    char *token = served_token(&served, "1", "");
    char *twin = twin_of_token(token);
    char *signed_again = served_token(&served, "1", "");
    assert_string_not_equal(twin, token);
    assert_string_not_equal(signed_again, token);
    assert_int_equal(check_as("mine", token, OWNER_TIMES - 2), OWNER_TIMES - 2);
    assert_int_equal(check_as("mine", twin, 2), 2);
    assert_int_equal(check_as("mine", twin, 3), 0);
    assert_int_equal(check_as("mine", signed_again, 3), 0);
    assert_int_equal(check_as("mine", token, 1), 0);
    free(signed_again);
    free(twin);
    free(token);
}

/* A known replay is known by its signature too: who has only the rest of a token is told nothing
 * of its use, and what another spelling finds out is the guard's own answer. */
static void a_forged_signature_is_no_known_replay(void **state)
{
    (void)state;
    served_start(&served);
    char *token = served_token(&served, "1", "");
    char *twin = twin_of_token(token);
    char *forged = text_of("%s", token);
    char *first = strrchr(forged, '.') + 1;
    *first = *first == 'A' ? 'B' : 'A';
    assert_result(served_bearer(&served, text_of("%s", token)), 200, "admitted", "admitted");
    for (int i = 0; i < 2; i++) {
        assert_result(served_bearer(&served, text_of("%s", token)), 403, "replayed", "replayed");
        assert_result(served_bearer(&served, text_of("%s", forged)), 401, "refused",
                      "bad_signature");
    }
    assert_true(served_metric(&served, "jtiguard_replay_cache_hits_total") == 1);
    assert_result(served_bearer(&served, text_of("%s", twin)), 403, "replayed", "replayed");
    assert_true(served_metric(&served, "jtiguard_replay_cache_hits_total") == 1);
    free(forged);
    free(twin);
    free(token);
}

static void refusals_of_one_client_are_limited(void **state)
{
    (void)state;
    struct http_answer answer;
    served_argument(&served, "--refusal-rate=1");
    served_argument(&served, "--refusal-burst=3");
    served_start(&served);
    static const char bad[] = "Authorization: Bearer x\r\nX-Forwarded-For: 198.51.100.7\r\n";
    for (int i = 0; i < 3; i++) {
        assert_int_equal(served_check(&served, bad, &answer), 401);
        http_answer_clear(&answer);
    }
    assert_int_equal(served_check(&served, bad, &answer), 403);
    assert_string_equal(http_header(&answer, "X-JTI-Reason"), "too_many_refusals");
    http_answer_clear(&answer);
    assert_true(served_decisions(&served, "check", "refused", "too_many_refusals") == 1);

    /* A good token of the same client too; not one of another, whatever the client says of
     * itself further left. */
    char *token = served_token(&served, "1", "");
    char *same = text_of("Authorization: Bearer %s\r\n"
                         "X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n",
                         token);
    char *other = text_of("Authorization: Bearer %s\r\n"
                          "X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\n",
                          token);
    assert_int_equal(served_check(&served, same, &answer), 403);
    http_answer_clear(&answer);
    assert_int_equal(served_check(&served, other, &answer), 200);
    http_answer_clear(&answer);
    /* A proxy that does not say for whom it asks is no client. */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(served_check(&served, "Authorization: Bearer x\r\n", &answer), 401);
        http_answer_clear(&answer);
    }
    /* Trouble of the store is nobody's fault. */
    served.store->answer = JTG_ERR_UNAVAILABLE;
    for (int i = 0; i < 5; i++) {
        char jti[16];
        (void)snprintf(jti, sizeof jti, "t%d", i);
        char *fresh = served_token(&served, jti, "");
        char *headers = text_of("Authorization: Bearer %s\r\n"
                                "X-Forwarded-For: 203.0.113.10\r\n",
                                fresh);
        assert_int_equal(served_check(&served, headers, &answer), 403);
        assert_string_equal(http_header(&answer, "X-JTI-Reason"), "store_unavailable");
        http_answer_clear(&answer);
        free(headers);
        free(fresh);
    }
    /* The account is even again after a while. */
    test_clock_advance(&served.clock, 3000);
    assert_int_equal(served_check(&served, bad, &answer), 401);
    http_answer_clear(&answer);
    free(other);
    free(same);
    free(token);
}

/* Neither tokens nor what is in them. */
static void the_log_holds_no_token(void **state)
{
    (void)state;
    served_start(&served);
    char *token = served_token(&served, "my-secret-jti", "");
    (void)served_bearer(&served, strdup(token));
    (void)served_bearer(&served, strdup(token));
    (void)served_bearer(&served, strdup("not-a-token-but-secret"));
    char *log = served_log(&served, "reason=malformed_token");
    assert_non_null(strstr(log, " debug admitted endpoint=check reason=admitted client=127.0.0.1"));
    assert_non_null(strstr(log, " info replayed endpoint=check reason=replayed client=127.0.0.1"));
    assert_null(strstr(log, "my-secret-jti"));
    assert_null(strstr(log, "user-1"));
    assert_null(strstr(log, "but-secret"));
    assert_null(strstr(log, token + strlen(token) - 20));
    free(log);
    free(token);
}

static void a_body_is_thrown_away(void **state)
{
    (void)state;
    struct http_answer answer;
    served_argument(&served, "--max-body-bytes=1024");
    served_start(&served);
    char *token = served_token(&served, "1", "");
    char *small = text_of("POST /check HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                          "Authorization: Bearer %s\r\n\r\nhello",
                          token);
    char *large = text_of("POST /check HTTP/1.1\r\nHost: x\r\nContent-Length: 1025\r\n"
                          "Authorization: Bearer %s\r\n\r\n%01025d",
                          token, 0);
    assert_true(http_ask(service_port(served.service, HTTP_MAIN), small, &answer));
    assert_int_equal(answer.status, 200);
    http_answer_clear(&answer);
    assert_true(http_ask(service_port(served.service, HTTP_MAIN), large, &answer));
    assert_int_equal(answer.status, 403);
    assert_string_equal(http_header(&answer, "X-JTI-Reason"), "body_too_long");
    http_answer_clear(&answer);
    assert_true(served_decisions(&served, "check", "refused", "body_too_long") == 1);
    free(large);
    free(small);
    free(token);
}

int main(void)
{
#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST_OF(a_token_is_admitted_once),
        TEST_OF(claims_become_headers),
        TEST_OF(a_token_of_a_trust_domain),
        TEST_OF(a_used_token_changes_its_entry),
        TEST_OF(an_empty_claim_makes_no_header),
        TEST_OF(the_longest_head_has_room_for_the_longest_answer),
        TEST_OF(a_head_that_is_too_long_uses_no_token_up),
        TEST_OF(any_method_and_any_path_below),
        TEST_OF(other_paths_are_not_found),
        TEST_OF(every_answer_of_the_store),
        TEST_OF(one_owner_gets_one_answer),
        TEST_OF(an_owner_of_the_client_is_ignored),
        TEST_OF(known_replays_do_not_reach_the_store),
        TEST_OF(no_other_refusal_is_remembered),
        TEST_OF(known_replays_keep_quiet_before_owners),
        TEST_OF(replays_before_it_spoil_no_second_question),
        TEST_OF(an_owner_is_admitted_again_for_seconds),
        TEST_OF(an_owner_is_admitted_a_few_times),
        TEST_OF(other_signatures_are_no_other_uses),
        TEST_OF(a_forged_signature_is_no_known_replay),
        TEST_OF(refusals_of_one_client_are_limited),
        TEST_OF(the_log_holds_no_token),
        TEST_OF(a_body_is_thrown_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
