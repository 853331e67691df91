/* SPDX-License-Identifier: Apache-2.0 */
/* Where settings come from, what has precedence, and what is refused. */
#include "serve/settings/service_options.h"
#include "serve/settings/settings_reader.h"
#include "serve/verify/entries.h"
#include "store.h"
#include "support/asserts.h"
#include "support/text_file.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS_MAX = 40, WORD_BYTES = 200 };

static char folder[64];
static struct settings_problem problem;
static struct service_settings *settings;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/jtiguard-settings-XXXXXX");
    settings = NULL;
    return mkdtemp(folder) == NULL || sodium_init() < 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    service_settings_free(settings);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command); /* NOLINT(cert-env33-c): a folder of our own */
}

static const char *file_with(const char *name, const char *text)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

/* Words, apart by blanks, as a list that may be reordered. */
struct words {
    char text[WORDS_MAX][WORD_BYTES];
    char *list[WORDS_MAX + 1];
    int count;
};

static void split(struct words *words, const char *text)
{
    *words = (struct words){.count = 0};
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        assert_true(words->count < WORDS_MAX && len < WORD_BYTES);
        memcpy(words->text[words->count], text, len);
        words->list[words->count] = words->text[words->count];
        words->count++;
        text += len + strspn(text + len, " ");
    }
}

/* Read with these flags and this environment; in both, %s is the folder. */
static bool read_both(const char *flags, const char *environment)
{
    static struct words arguments;
    static struct words variables;
    char *text = NULL;
    service_settings_free(settings);
    settings = NULL;
    assert_true(asprintf(&text, "serve %s", flags) > 0);
    split(&arguments, text);
    split(&variables, environment);
    free(text);
    const struct program program = {arguments.count, arguments.list, variables.list};
    return service_settings_read(&settings, &program, &problem) == SETTINGS_READ;
}

#define USUAL "--issuer=https://i.example --audience=api "

static void assert_refused(const char *flags, const char *environment, const char *why)
{
    if (read_both(flags, environment))
        fail_msg("taken: %s %s", flags, environment);
    if (strstr(problem.text, why) == NULL)
        fail_msg("%s %s: \"%s\" is not in \"%s\"", flags, environment, why, problem.text);
}

static void assert_taken(const char *flags, const char *environment)
{
    if (!read_both(flags, environment))
        fail_msg("%s %s: %s", flags, environment, problem.text);
}

static void the_defaults(void **state)
{
    (void)state;
    assert_taken(USUAL, "");
    assert_int_equal(settings->listen.count, 1);
    assert_string_equal(settings->listen.items[0], SERVICE_LISTEN_DEFAULT);
    assert_int_equal(settings->api_listen.count, 0);
    assert_int_equal(settings->max_body_bytes, SERVICE_BODY_BYTES_DEFAULT);
    assert_int_equal(settings->refusals.rate, 0);
    assert_int_equal(settings->log_level, JTG_LOG_INFO);
    assert_int_equal(settings->verify.issuer_count, 1);
    assert_string_equal(settings->verify.issuers[0].issuer, "https://i.example");
    assert_int_equal(settings->verify.issuers[0].kind, JTG_KIND_ID_TOKEN);
    assert_int_equal(settings->verify.issuers[0].keys_from, KEYS_FROM_DISCOVERY);
    assert_ptr_equal(settings->verify.guard, &settings->tool.guard);
    assert_int_equal(settings->verify.keys_timeout_ms, KEYS_TIMEOUT_MS_DEFAULT);
    assert_int_equal(store_kind(&settings->tool), STORE_EITHER);
}

static void flags_before_the_environment_before_the_file(void **state)
{
    (void)state;
    char flags[256];
    const char *path =
        file_with("c.json", "{\"issuer\":\"https://file\",\"audience\":[\"a\",\"b\"],"
                            "\"threads\":3,\"max_batch\":7,\"log_level\":\"debug\","
                            "\"leeway\":\"5s\",\"restart_rule\":true}");
    (void)snprintf(flags, sizeof flags, "--config=%s --threads 5", path);
    assert_taken(flags, "JTIGUARD_THREADS=4 JTIGUARD_MAX_BATCH=8");
    assert_int_equal(settings->threads, 5);
    assert_int_equal(settings->max_batch, 8);
    assert_int_equal(settings->log_level, JTG_LOG_DEBUG);
    assert_int_equal(settings->tool.guard.leeway_s, 5);
    assert_int_equal(settings->tool.guard.restart_rule, 1);
    assert_int_equal(settings->verify.issuers[0].audiences.count, 2);
    /* A list of a higher place replaces the one below. */
    (void)snprintf(flags, sizeof flags, "--audience=x --restart-rule=no");
    char environment[256];
    (void)snprintf(environment, sizeof environment, "JTIGUARD_CONFIG=%s JTIGUARD_AUDIENCE=y,z",
                   path);
    assert_taken(flags, environment);
    assert_int_equal(settings->verify.issuers[0].audiences.count, 1);
    assert_string_equal(settings->verify.issuers[0].audiences.items[0], "x");
    assert_int_equal(settings->tool.guard.restart_rule, 0);
    assert_taken("", environment);
    assert_int_equal(settings->verify.issuers[0].audiences.count, 2);
    assert_string_equal(settings->verify.issuers[0].audiences.items[1], "z");
}

static void what_is_not_known_is_refused(void **state)
{
    (void)state;
    char flags[256];
    assert_refused(USUAL "--treads=5", "", "--treads is no option");
    assert_refused(USUAL "--leeway=secret5", "", "--leeway wants a duration");
    assert_refused(USUAL "-x", "", "is no option");
    assert_refused(USUAL "operand", "", "takes options only");
    assert_refused(USUAL "--threads", "", "--threads wants a value");
    assert_refused(USUAL "--threads 3 --threads 3", "", "--threads stands twice");
    assert_refused(USUAL "--thread=3", "", "--thread is no option of this command");
    assert_refused(USUAL "--thread 3", "", "--thread is no option of this command");
    assert_refused(USUAL "--dpop-targe=request", "", "--dpop-targe is no option");
    assert_refused(USUAL "--hel", "", "--hel is no option of this command");
    assert_refused(USUAL, "JTIGUARD_TREADS=5", "JTIGUARD_TREADS in the environment is no setting");
    assert_refused(USUAL, "JTIGUARD_threads=5", "is no setting");
    assert_refused(USUAL, "JTIGUARD_THREADS=five", "JTIGUARD_THREADS wants a whole number");
    const char *const files[][2] = {
        {"{\"treads\":5}", "no such setting: treads"},
        {"{\"threads\":5,\"threads\":6}", "no JSON object: line 1"},
        {"{\"threads\":5.5}", "threads in the file of settings has the wrong JSON type"},
        {"{\"threads\":-5}", "wrong JSON type"},
        {"{\"threads\":[5]}", "wrong JSON type"},
        {"{\"threads\":null}", "wrong JSON type"},
        {"{\"threads\":1000}", "is out of its range, 1 to 256"},
        {"{\"request_timeout\":\"2h\"}", "is out of its range, 1s to 1h"},
        {"{\"socket_mode\":\"1777\"}", "is out of its range, 0 to 0777"},
        {"{\"dpop_target\":\"own\"}", "wants forwarded, original or request"},
        {"{\"log_format\":\"xml\"}", "wants text or json"},
        {"{\"listen\":[]}", "wants a text, or an array"},
        {"{\"listen\":[5]}", "array of texts"},
        {"{\"issuers\":{}}", "issuers wants an array"},
        {"{\"issuers\":[]}", "issuers wants an array"},
        {"{\"issuers\":[5]}", "entry 0 is no object"},
        {"{\"issuers\":[{\"issuer\":\"i\",\"audience\":\"a\",\"auds\":1}]}", "auds is no member"},
        {"{\"issuers\":[{\"issuer\":\"i\"}]}", "needs audience"},
        {"{\"issuers\":[{\"audience\":\"i\"}]}", "needs issuer"},
        {"{\"issuers\":[{\"issuer\":\"i\",\"audience\":\"a\",\"kind\":\"access\"}]}", "kind wants"},
        {"{\"issuers\":[{\"issuer\":\"i\",\"audience\":\"a\",\"kind\":\"custom\"}]}",
         "custom_kind go together"},
        {"{\"issuers\":[{\"issuer\":\"i\",\"audience\":\"a\",\"jwks_url\":\"u\",\"jwks_file\":"
         "\"f\"}]}",
         "does not go with"},
        {"{\"issuers\":[{\"issuer\":\"i\",\"audience\":\"a\",\"claim_header\":[\"email\"]}]}",
         "CLAIM=NAME"},
        {"{\"issuers\":[{\"issuer\":\"i\",\"audience\":\"a\",\"claim_header\":[\"a=b c\"]}]}",
         "CLAIM=NAME"},
        {"{\"issuers\":[{\"issuer\":\"i\",\"audience\":\"a\",\"claim_header\":"
         "[\"a=x-jti-result\"]}]}",
         "the service's own"},
        {"{\"issuers\":[{\"issuer\":\"i\",\"audience\":\"a\",\"claim_header\":"
         "[\"a=X-A\",\"b=x-a\"]}]}",
         "one header twice"},
        {"{\"issuers\":[{\"issuer\":\"i\",\"audience\":\"a\",\"max_age\":60}]}",
         "wants a duration"},
        {"{\"config\":\"x\"}", "cannot name another file"},
        {"[]", "no JSON object"},
        {"", "no JSON object"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)snprintf(flags, sizeof flags, "--config=%s", file_with("c.json", files[i][0]));
        assert_refused(flags, "", files[i][1]);
    }
    assert_refused("--config=/nonexistent/file", "", "cannot be read");
    assert_refused("--config=/dev/zero", "", "no regular file");
}

/* Kubernetes tells every container of every service, and an unset variable is often an empty
 * one. */
static void what_others_put_into_the_environment(void **state)
{
    (void)state;
    assert_taken(USUAL, "JTIGUARD_SERVICE_HOST=10.0.0.1 JTIGUARD_SERVICE_PORT=80 "
                        "JTIGUARD_PORT=tcp://10.0.0.1:80 JTIGUARD_PORT_80_TCP_ADDR=10.0.0.1 "
                        "JTIGUARD_DEMO_SERVICE_HOST=10.0.0.2 JTIGUARD_THREADS= "
                        "JTIGUARD_TEST_SEED=1 HOME=/root");
    assert_int_equal(settings->threads, 0);
}

static void a_former_name_is_understood_and_noted(void **state)
{
    char flags[256];
    (void)state;
    assert_taken(USUAL "--replicas=2 --store=redis://127.0.0.1", "");
    assert_int_equal(settings->instances, 2);
    assert_non_null(json_object_get(settings->merged.formers, "replicas"));
    assert_taken(USUAL "--store=redis://127.0.0.1", "JTIGUARD_REPLICAS=3");
    assert_int_equal(settings->instances, 3);
    assert_taken(USUAL "--store=redis://127.0.0.1 --instances=4", "JTIGUARD_REPLICAS=3");
    assert_int_equal(settings->instances, 4);
    assert_taken(USUAL "--store=redis://127.0.0.1 --instances=4", "");
    assert_int_equal(json_object_size(settings->merged.formers), 0);

    assert_refused(USUAL "--instances=4 --replicas=4", "", "--replicas stands twice");
    assert_refused(USUAL, "JTIGUARD_INSTANCES=4 JTIGUARD_REPLICAS=4",
                   "the environment: instances and replicas do not go together");
    snprintf(flags, sizeof flags, "--config=%s",
             file_with("pair", "{\"replicas\":2,\"instances\":2}"));
    assert_refused(flags, "", "the file of settings: instances and replicas do not go together");
}

static void values_that_do_not_go_together(void **state)
{
    (void)state;
    assert_refused("", "", "nothing to do");
    assert_refused("--issuer=https://i", "", "needs audience");
    assert_refused(USUAL "--instances=2", "", "needs a shared store");
    assert_taken(USUAL "--instances=2 --store=redis://127.0.0.1", "");
    assert_refused(USUAL "--api-listen=127.0.0.1:0", "", "without api_secret");
    assert_taken(USUAL "--api-listen=127.0.0.1:0 --api-secret=0123456789abcdef", "");
    assert_taken("--api-listen=unix:/tmp/x", "");
    assert_refused(USUAL "--api-secret=short", "", "--api-secret wants secrets of at least 16");
    assert_refused(USUAL "--listen=localhost:80", "", "listen is no HOST:PORT");
    assert_refused(USUAL "--listen=127.0.0.1", "", "listen is no HOST:PORT");
    assert_refused(USUAL "--listen=127.0.0.1:65536", "", "listen is no HOST:PORT");
    assert_refused(USUAL "--owner-header=X:Y", "", "owner_header is no name");
    assert_refused(USUAL "--trusted-proxy=10.0.0.1/8", "", "trusted_proxy");
    assert_refused(USUAL "--dpop-target=request", "", "go together");
    assert_refused(USUAL "--public-url=https://a.example", "", "go together");
    assert_refused(USUAL "--dpop-target=request --public-url=https://a.example/path", "",
                   "scheme and host only");
    assert_taken(USUAL "--dpop-target=request --public-url=https://a.example", "");
    assert_refused(USUAL "--dpop-target=header", "", "wants forwarded, original or request");
    assert_refused(USUAL "--dpop-nonce-key=00", "", "64 hexadecimal digits");
    assert_refused(USUAL "--socket-mode=999", "", "octal");
    assert_refused(USUAL "--log-level=loud", "", "--log-level wants");
    assert_refused(USUAL "--restart-rule=maybe", "", "wants yes or no");
    assert_refused(USUAL "--issuers=[{}]", "", "do not go together");
    assert_refused("--issuers=[{", "", "no JSON");
    assert_refused(USUAL "--claim-header=sub=X-JTI-Subject", "", "one header twice");
    assert_refused(USUAL "--issuer-header=x-jti-subject", "", "one header twice");
    assert_refused(USUAL "--subject-header=X-JTI-Result", "", "the service's own");
    assert_refused(USUAL "--issuer-header=Content-Length", "", "the service's own");
}

/* What a client can write must not say which request this is. */
static void no_header_of_the_client_is_the_owner(void **state)
{
    static const char *const of_clients[] = {"Authorization",
                                             "authorization",
                                             "DPoP",
                                             "Cookie",
                                             "Host",
                                             "Connection",
                                             "Content-Type",
                                             "Content-Length",
                                             "Accept",
                                             "Accept-Language",
                                             "User-Agent",
                                             "X-Forwarded-For",
                                             "x-forwarded-for",
                                             "X_Forwarded_Host",
                                             "Forwarded",
                                             "X-Real-IP",
                                             "X-Original-URL",
                                             "X-Original-Method",
                                             "Via",
                                             "If-None-Match",
                                             "Referer",
                                             "Origin",
                                             "Sec-Fetch-Site",
                                             "Range",
                                             "Upgrade",
                                             "TE",
                                             "traceparent",
                                             "X-B3-TraceId",
                                             "Idempotency-Key",
                                             "Proxy-Authorization"};
    (void)state;
    for (size_t i = 0; i < sizeof of_clients / sizeof *of_clients; i++) {
        char flags[160];
        (void)snprintf(flags, sizeof flags, USUAL "--owner-header=%s", of_clients[i]);
        assert_refused(flags, "", "owner_header names a header that clients write");
        (void)snprintf(flags, sizeof flags, USUAL "--owner-header=%s --owner-header-overwritten",
                       of_clients[i]);
        assert_refused(flags, "", "owner_header names a header that clients write");
    }
    assert_refused(USUAL "--owner-header=X-Id --client-header=x-id", "", "one header twice");
}

/* Nobody can list all that some client writes: what is not known to be a proxy's needs its
 * operator's word. */
static void an_owner_header_is_one_of_a_proxy(void **state)
{
    static const char *const of_proxies[] = {"X-Request-ID", "x-request-id", "X-Unique-ID",
                                             "X-JTI-Owner"};
    static const char *const of_anybody[] = {
        "X-Correlation-ID",     "X-API-Key",           "X-Datadog-Trace-Id",
        "uber-trace-id",        "X-Request-Id-2",      "X_Request_ID",
        "Request-Id",           "X-Client-Request-Id", "X-JTI",
        "X-Cloud-Trace-Context"};
    static const char *const of_answers[] = {"X-JTI-Subject", "x-jti-issuer", "X-JTI-Result",
                                             "X-JTI-Reason"};
    char flags[160];
    (void)state;
    for (size_t i = 0; i < sizeof of_proxies / sizeof *of_proxies; i++) {
        (void)snprintf(flags, sizeof flags, USUAL "--owner-header=%s", of_proxies[i]);
        assert_taken(flags, "");
    }
    for (size_t i = 0; i < sizeof of_anybody / sizeof *of_anybody; i++) {
        (void)snprintf(flags, sizeof flags, USUAL "--owner-header=%s", of_anybody[i]);
        assert_refused(flags, "",
                       "or set owner_header_overwritten where the proxy overwrites it "
                       "in every request");
        (void)snprintf(flags, sizeof flags, USUAL "--owner-header=%s --owner-header-overwritten",
                       of_anybody[i]);
        assert_taken(flags, "");
    }
    /* A client's own X-JTI-Subject reaches the question, and the proxy sets it behind it only. */
    for (size_t i = 0; i < sizeof of_answers / sizeof *of_answers; i++) {
        (void)snprintf(flags, sizeof flags, USUAL "--owner-header=%s --owner-header-overwritten",
                       of_answers[i]);
        assert_refused(flags, "", "owner_header names a header of the answer");
    }
    assert_refused(USUAL "--owner-header=X-JTI-Email --claim-header=email=x-jti-email", "",
                   "claim_header names one header twice");
    assert_refused(USUAL "--owner-header-overwritten", "", "needs owner_header");
    assert_taken(USUAL "--owner-header-overwritten=no", "");
}

/* Instances that differ in it never let a client in. */
static void several_instances_share_the_nonce_key(void **state)
{
#define SEVERAL USUAL "--replicas=2 --store=redis://127.0.0.1 "
    (void)state;
    assert_refused(SEVERAL "--dpop-nonce", "", "dpop_nonce_key is not set");
    assert_taken(USUAL "--dpop-nonce", "");
    assert_taken(SEVERAL "--dpop-nonce=no", "");
    assert_taken(SEVERAL "--dpop-nonce --dpop-nonce-key="
                         "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                 "");
#undef SEVERAL
}

static void settings_of_an_issuer(void **state)
{
    (void)state;
    assert_taken(USUAL "--kind=workload", "");
    assert_int_equal(settings->verify.issuers[0].kind, JTG_KIND_ID_TOKEN);
    assert_true(settings->verify.issuers[0].is_workload);
    assert_refused(USUAL "--kind=machine", "", "kind wants id_token, workload");
    assert_taken(USUAL "--jti-claim=uti", "");
    assert_string_equal(settings->verify.issuers[0].jti_claim, "uti");
    assert_refused(USUAL "--jti-claim=", "", "jti_claim wants a text");
    assert_taken(USUAL "--kind=logout_token --life-without-exp=2m", "");
    assert_int_equal(settings->verify.issuers[0].life_without_exp_s, 120);
    assert_refused(USUAL "--kind=logout_token --life-without-exp=120", "", "wants a duration");
    assert_taken("--issuer=https://i.example/{t}/v2.0 --tenant=a --tenant=b --audience=api "
                 "--jwks-url=https://i.example/keys",
                 "");
    assert_int_equal(settings->verify.issuers[0].tenants.count, 2);
    assert_taken("--trust-domain=example.org --audience=api --jwks-file=f", "");
    assert_string_equal(settings->verify.issuers[0].trust_domain, "example.org");
    assert_refused("--audience=api", "", "needs issuer, or trust_domain");
    assert_taken(USUAL "--discovery-url=https://i.example/d --jwks-token-file=t --jwks-ca-file=c",
                 "");
    assert_int_equal(settings->verify.issuers[0].keys_from, KEYS_FROM_DISCOVERY);
    assert_string_equal(settings->verify.issuers[0].keys_at, "https://i.example/d");
    assert_string_equal(settings->verify.issuers[0].keys_token_file, "t");
    assert_string_equal(settings->verify.issuers[0].keys_ca_file, "c");
    assert_refused(USUAL "--discovery-url=https://i/d --jwks-url=https://i/k", "",
                   "does not go with another of jwks_file");
    assert_refused(USUAL "--jwks-ca-file=", "", "jwks_ca_file wants a text");
    assert_taken(USUAL "--form-field=logout_token --form-field=client_assertion", "");
    assert_int_equal(settings->form_fields.count, 2);
    assert_refused(USUAL "--form-field=token", "", "wants logout_token or client_assertion");
    assert_taken(USUAL "--dpop-clock=nonce --dpop-nonce", "");
    assert_true(settings->verify.dpop_clock_of_nonce);
    assert_refused(USUAL "--dpop-clock=nonce", "", "dpop_clock nonce needs dpop_nonce");
    assert_refused(USUAL "--dpop-clock=nonce --dpop-nonce --proof-max-age=299s", "",
                   "dpop_clock nonce needs a proof_max_age");
    assert_refused(USUAL "--dpop-clock=server", "", "--dpop-clock");
    assert_taken(USUAL "--keys-wait=9s", "");
    assert_int_equal(settings->verify.keys_wait_ms, 9000);
    assert_taken(USUAL "--keys-wait=0s", "");
    assert_refused(USUAL "--store=memory --keys-wait=10s", "",
                   "keys_wait must be below request_timeout");
    assert_refused(USUAL "--keys-wait=61s --request-timeout=100s", "", "--keys-wait");
    /* A default gives way, and what was asked for does not. */
    assert_taken(USUAL "--request-timeout=1s", "");
    assert_int_equal(settings->verify.keys_wait_ms, 0);
    assert_refused(USUAL "--store=memory --keys-wait=2s --request-timeout=2s", "",
                   "keys_wait must be below");
}

/* The longest answer ends before its connection: with an owner header it asks the store thrice. */
static void an_answer_fits_into_its_request(void **state)
{
#define SLOW_STORE(timeout) USUAL "--store=redis://127.0.0.1/?timeout=" timeout " "
    (void)state;
    assert_taken(SLOW_STORE("1s") "--keys-wait=8s", "");
    assert_refused(SLOW_STORE("1s") "--keys-wait=9s", "",
                   "keys_wait (9s) and the store's timeout (1 x 1000 ms) must take less than "
                   "request_timeout (10s)");
    assert_taken(SLOW_STORE("999ms") "--keys-wait=7s --owner-header=X-Request-ID", "");
    assert_refused(SLOW_STORE("1s") "--keys-wait=7s --owner-header=X-Request-ID", "",
                   "keys_wait (7s) and the store's timeout (3 x 1000 ms, because of owner_header) "
                   "must take less than request_timeout (10s): raise this, or lower one of those");
    assert_taken(SLOW_STORE("1s") "--keys-wait=7s --owner-header=X-Request-ID "
                                  "--request-timeout=11s",
                 "");
    /* The default of the wait gives way, as far as it goes. */
    assert_taken(SLOW_STORE("1s") "--request-timeout=3s", "");
    assert_int_equal(settings->keys_wait_s, 1);
    assert_taken(SLOW_STORE("1s") "--request-timeout=4s --owner-header=X-Request-ID", "");
    assert_int_equal(settings->keys_wait_s, 0);
    assert_refused(SLOW_STORE("1s") "--request-timeout=3s --owner-header=X-Request-ID", "",
                   "(3 x 1000 ms, because of owner_header)");
    assert_refused(SLOW_STORE("60s"), "", "keys_wait (0s) and the store's timeout (1 x 60000 ms)");
    /* A store in memory is waited for by nobody. */
    assert_taken(USUAL "--keys-wait=9s --owner-header=X-Request-ID", "");
    assert_taken(USUAL "--drain-timeout=1s --owner-header=X-Request-ID", "");
    /* The end waits for it too. */
    assert_taken(SLOW_STORE("1999ms") "--drain-timeout=2s", "");
    assert_refused(
        SLOW_STORE("2s") "--drain-timeout=2s", "",
        "the store's timeout (1 x 2000 ms) must take less than drain_timeout (2s): raise "
        "this, or lower that");
    assert_taken(SLOW_STORE("333ms") "--drain-timeout=1s --owner-header=X-Request-ID", "");
    assert_refused(SLOW_STORE("334ms") "--drain-timeout=1s --owner-header=X-Request-ID", "",
                   "the store's timeout (3 x 334 ms, because of owner_header) must take less than "
                   "drain_timeout (1s)");
#undef SLOW_STORE
}

static void secrets_from_files(void **state)
{
    (void)state;
    char flags[256];
    char environment[256];
    const char *path = file_with("secret", "first-secret-0123456\nsecond-secret-01234\n");
    (void)snprintf(flags, sizeof flags, USUAL "--api-secret-file=%s", path);
    assert_taken(flags, "");
    assert_int_equal(settings->api_secrets.count, 2);
    assert_true(secrets_hold(&settings->api_secrets, "first-secret-0123456", 20));
    assert_true(secrets_hold(&settings->api_secrets, "second-secret-01234", 19));
    assert_false(secrets_hold(&settings->api_secrets, "second-secret-0123", 18));
    /* Both spellings in one place: which is meant? In two places the higher one counts. */
    (void)snprintf(flags, sizeof flags, USUAL "--api-secret-file=%s --api-secret=0123456789abcdef",
                   path);
    assert_refused(flags, "", "do not go together");
    (void)snprintf(environment, sizeof environment, "JTIGUARD_API_SECRET_FILE=%s", path);
    assert_taken(USUAL "--api-secret=0123456789abcdef", environment);
    assert_int_equal(settings->api_secrets.count, 1);
    assert_true(secrets_hold(&settings->api_secrets, "0123456789abcdef", 16));
    assert_refused(USUAL "--api-secret-file=/nonexistent", "", "cannot be read");
    (void)snprintf(flags, sizeof flags, USUAL "--api-secret-file=%s", path);
    assert_int_equal(chmod(path, 0620), 0);
    assert_refused(flags, "", "can be written by others than its owner; chmod go-w");
    assert_int_equal(chmod(path, 0602), 0);
    assert_refused(flags, "", "can be written by others than its owner; chmod go-w");
    assert_int_equal(chmod(path, 0444), 0);
    assert_taken(flags, "");
    assert_int_equal(chmod(path, 0600), 0);
    /* A store's URI too. */
    (void)snprintf(flags, sizeof flags, USUAL "--store-file=%s",
                   file_with("store", "redis://:pass@127.0.0.1:1/0\n"));
    assert_taken(flags, "");
    assert_string_equal(settings->tool.store, "redis://:pass@127.0.0.1:1/0");
    (void)snprintf(flags, sizeof flags, USUAL "--store-file=%s",
                   file_with("store", "redis://:pass@127.0.0.1:1/0?tpyo=1\n"));
    assert_refused(flags, "", "the store cannot be used");
    assert_null(strstr(problem.text, "pass"));
}

static void no_problem_shows_a_secret(void **state)
{
    (void)state;
    assert_refused(USUAL "--api-secret=hunter2", "", "--api-secret");
    assert_null(strstr(problem.text, "hunter2"));
    assert_refused(USUAL, "JTIGUARD_DPOP_NONCE_KEY=hunter2", "JTIGUARD_DPOP_NONCE_KEY");
    assert_null(strstr(problem.text, "hunter2"));
    assert_refused(USUAL "--api-sceret=hunter2", "", "is no option");
    assert_null(strstr(problem.text, "hunter2"));
}

static void what_needs_a_restart(void **state)
{
    (void)state;
    static const char *const changes[][2] = {{"--store=redis://127.0.0.1", "store"},
                                             {"--leeway=1s", "leeway"},
                                             {"--listen=127.0.0.1:1", "listen"},
                                             {"--threads=2", "threads"},
                                             {"--audience=other", NULL},
                                             {"--log-level=debug", NULL},
                                             {"--max-batch=3", NULL},
                                             {"--owner-header=X-Request-ID", NULL}};
    assert_taken(USUAL, "");
    struct service_settings *before = settings;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char flags[256];
        if (settings == before)
            settings = NULL;
        (void)snprintf(flags, sizeof flags, USUAL "%s", changes[i][0]);
        assert_taken(flags, "");
        const char *name = service_settings_frozen_change(before, settings);
        if (changes[i][1] == NULL)
            assert_null(name);
        else
            assert_string_equal(name, changes[i][1]);
    }
    service_settings_free(before);
}

/* What was admitted must be a replay after a reload: where an entry would have a token remembered
 * under another key, the reload is refused. */
static void what_would_make_used_tokens_new(void **state)
{
#define OF(members) "{\"audience\":\"a\"," members "}"
#define I           "\"issuer\":\"https://i.example\""
#define J           "\"issuer\":\"https://j.example\""
#define T           "\"trust_domain\":\"example.org\",\"jwks_file\":\"t\""
#define U           ",\"jti_claim\":\"uti\""
#define TENANT      "\"issuer\":\"https://i.example/{t}\",\"jwks_file\":\"k\"" U ",\"tenant\":"
#define ANY         TENANT "\"*\""
#define ONE         TENANT "\"1\""
    static const struct {
        const char *before;
        const char *after;
        const char *moved; /* NULL: nothing */
        size_t index;
    } cases[] = {
        {OF(I), OF(I), NULL, 0},
        {OF(I), OF(I ",\"kind\":\"workload\",\"jti_claim\":\"jti\""), NULL, 0},
        {OF(I), OF(I ",\"kind\":\"client_assertion\""), "kind", 0},
        {OF(J) "," OF(I), OF(J) "," OF(I ",\"kind\":\"custom\",\"custom_kind\":\"x\""), "kind", 1},
        {OF(I ",\"kind\":\"custom\",\"custom_kind\":\"x\""),
         OF(I ",\"kind\":\"custom\",\"custom_kind\":\"y\""), "custom_kind", 0},
        {OF(I), OF(I ",\"jti_claim\":\"uti\""), "jti_claim", 0},
        {OF(I ",\"jti_claim\":\"uti\""), OF(I), "jti_claim", 0},
        /* Another entry of the issuer takes over a typ. */
        {OF(I), OF(I ",\"typ\":\"at+jwt\"") "," OF(I ",\"kind\":\"client_assertion\""), "kind", 1},
        {OF(I ",\"typ\":\"JWT\""), OF(I ",\"kind\":\"client_assertion\",\"typ\":\"at+jwt\""), NULL,
         0},
        /* No token is of both kinds, whatever its typ. */
        {OF(I), OF(I ",\"kind\":\"logout_token\",\"typ\":\"JWT\""), NULL, 0},
        {OF(I), OF(I ",\"kind\":\"dpop_proof\",\"typ\":\"JWT\""), NULL, 0},
        {OF(I), OF(J ",\"jti_claim\":\"uti\""), NULL, 0},
        /* A template takes what an issuer took. */
        {OF(I),
         OF("\"issuer\":\"https://i.example/{t}\",\"tenant\":\"*\",\"jwks_file\":\"k\","
            "\"jti_claim\":\"uti\""),
         NULL, 0},
        {OF("\"issuer\":\"https://i.example/1\""),
         OF("\"issuer\":\"https://i.example/{t}\",\"tenant\":\"*\",\"jwks_file\":\"k\","
            "\"jti_claim\":\"uti\""),
         "jti_claim", 0},
        {OF(T), OF(T), NULL, 0},
        /* A token of a trust domain with an iss keeps its issuer, whichever entry it comes to. */
        {OF(T), OF(I), NULL, 0},
        {OF(I), OF(T), NULL, 0},
        {OF(T), OF(T) "," OF(I), NULL, 0},
        {OF(T) "," OF(I), OF(T), NULL, 0},
        {OF(T), OF(T) "," OF(I U), "jti_claim", 1},
        {OF(T) "," OF(I U), OF(T), "jti_claim", 0},
        {OF(T), OF(I ",\"kind\":\"client_assertion\""), "kind", 0},
        {OF(I), OF(T ",\"kind\":\"custom\",\"custom_kind\":\"x\""), "kind", 0},
        {OF(T), OF(T) "," OF(I U ",\"typ\":\"at+jwt\""), NULL, 0},
        {OF(T), OF(T) "," OF(I ",\"kind\":\"logout_token\",\"typ\":\"JWT\""), NULL, 0},
        /* Of an issuer that has an entry before and after it the domain gets nothing; of a
         * template it gets the tenants that one of them has not. */
        {OF(T) "," OF(I U), OF(T) "," OF(I U), NULL, 0},
        {OF(T) "," OF(ANY), OF(T) "," OF("\"issuer\":\"https://i.example/1\"" U), "jti_claim", 0},
        {OF(T) "," OF("\"issuer\":\"https://i.example/1\"" U), OF(T) "," OF(ANY), "jti_claim", 1},
        {OF(T) "," OF(ANY), OF(T) "," OF(ONE), "jti_claim", 0},
        {OF(T) "," OF(ONE), OF(T) "," OF(ONE), NULL, 0},
        {OF(T U) "," OF(ANY), OF(T U) "," OF(ONE), NULL, 0},
        {OF(T) "," OF(ONE), OF(T) "," OF(ANY), "jti_claim", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char flags[128];
        char text[640];
        size_t index = 0;
        (void)snprintf(text, sizeof text, "{\"issuers\":[%s]}", cases[i].before);
        (void)snprintf(flags, sizeof flags, "--config=%s", file_with("c.json", text));
        assert_taken(flags, "");
        struct service_settings *before = settings;
        settings = NULL;
        (void)snprintf(text, sizeof text, "{\"issuers\":[%s]}", cases[i].after);
        (void)file_with("c.json", text);
        assert_taken(flags, "");
        const char *moved = entries_moved(&before->verify, &settings->verify, &index);
        if ((moved == NULL) != (cases[i].moved == NULL) ||
            (moved != NULL && (strcmp(moved, cases[i].moved) != 0 || index != cases[i].index)))
            fail_msg("%s -> %s: %s", cases[i].before, cases[i].after, moved);
        service_settings_free(before);
    }
#undef ONE
#undef ANY
#undef TENANT
#undef U
#undef T
#undef J
#undef I
#undef OF
}

static void the_page_names_every_setting(void **state)
{
    (void)state;
    char *page = text_file_read(JTIGUARD_SERVE_PAGE);
    const char *table = strstr(page, "\n## Settings\n");
    assert_non_null(table);
    for (size_t i = 0; i < service_row_count; i++) {
        char name[SERVICE_NAME_BYTES + 2];
        char marked[SERVICE_NAME_BYTES + 8];
        (void)snprintf(name, sizeof name, "`%s`", service_rows[i].name);
        (void)snprintf(marked, sizeof marked, "%s \u25cf", name);
        if (strstr(table, name) == NULL)
            fail_msg("not in docs/serve.md: %s", name);
        bool fixed = (service_rows[i].marks & SERVICE_FIXED) != 0;
        if ((strstr(table, marked) != NULL) != fixed)
            fail_msg("docs/serve.md: can %s change?", name);
    }
    free(page);
}

int main(void)
{
#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST_OF(the_defaults),
        TEST_OF(flags_before_the_environment_before_the_file),
        TEST_OF(what_is_not_known_is_refused),
        TEST_OF(what_others_put_into_the_environment),
        TEST_OF(a_former_name_is_understood_and_noted),
        TEST_OF(values_that_do_not_go_together),
        TEST_OF(no_header_of_the_client_is_the_owner),
        TEST_OF(an_owner_header_is_one_of_a_proxy),
        TEST_OF(several_instances_share_the_nonce_key),
        TEST_OF(settings_of_an_issuer),
        TEST_OF(an_answer_fits_into_its_request),
        TEST_OF(secrets_from_files),
        TEST_OF(no_problem_shows_a_secret),
        TEST_OF(what_needs_a_restart),
        TEST_OF(what_would_make_used_tokens_new),
        TEST_OF(the_page_names_every_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
