/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/service_options.h"

#include "serve/settings/service_settings.h"

#include <ctype.h>
#include <string.h>

static const char *const target_names[] = {"forwarded", "original", "request", NULL};
static const char *const clock_names[] = {"client", "nonce", NULL};
static const char *const format_names[] = {"text", "json", NULL};
static const char *const missing_names[] = {"refuse", "digest", NULL};

/* A choice is written as a number of this size. */
_Static_assert(sizeof(jtg_missing_jti) == sizeof(uint32_t), "missing_jti is read as a uint32_t");

#define AT(member)              offsetof(struct service_settings, member)
#define COUNT(member, min, max) SERVICE_PLAIN, 0, VALUE_COUNT32, AT(member), min, max, NULL
#define FIXED_COUNT(member, min, max)                                                              \
    SERVICE_PLAIN, SERVICE_FIXED, VALUE_COUNT32, AT(member), min, max, NULL
#define FIXED_COUNT64(member, min, max)                                                            \
    SERVICE_PLAIN, SERVICE_FIXED, VALUE_COUNT64, AT(member), min, max, NULL
#define SECONDS(member, min, max) SERVICE_PLAIN, 0, VALUE_SECONDS32, AT(member), min, max, NULL
#define FIXED_SECONDS(member, min, max)                                                            \
    SERVICE_PLAIN, SERVICE_FIXED, VALUE_SECONDS32, AT(member), min, max, NULL
#define STRING(member, marks) SERVICE_PLAIN, marks, VALUE_STRING, AT(member), 0, 0, NULL
#define LIST(member, marks)   SERVICE_LIST, marks, VALUE_FLAG, AT(member), 0, 0, NULL
#define CHOICE(member, names) SERVICE_CHOICE, 0, VALUE_FLAG, AT(member), 0, 0, names
#define OF_ISSUER(marks)      SERVICE_ISSUER, marks, VALUE_FLAG, 0, 0, 0, NULL

/* clang-format off */
const struct service_row service_rows[] = {
    {"config", "FILE", SERVICE_CONFIG, 0, VALUE_FLAG, 0, 0, 0, NULL, "General",
     "file of settings, one JSON object"},
    {"listen", "ADDRESS", LIST(listen, SERVICE_FIXED), NULL,
     "where proxies ask: HOST:PORT, [HOST]:PORT or unix:PATH (" SERVICE_LISTEN_DEFAULT ")"},
    {"api_listen", "ADDRESS", LIST(api_listen, SERVICE_FIXED), NULL,
     "where verifiers ask /v1/; a unix socket needs no secret (none)"},
    {"admin_listen", "ADDRESS", LIST(admin_listen, SERVICE_FIXED), NULL,
     "/livez, /readyz, /metrics (" SERVICE_ADMIN_LISTEN_DEFAULT ")"},
    {"socket_mode", "OCTAL", SERVICE_OCTAL, SERVICE_FIXED, VALUE_FLAG, AT(socket_mode), 0, 0777,
     NULL, NULL, "permissions of unix sockets (0660)"},
    {"instances", "N", FIXED_COUNT(instances, 1, SERVICE_INSTANCES_LIMIT), NULL,
     "how many instances there are; more than one needs a shared store that is named (1)"},
    {"drain_delay", "DURATION", SECONDS(drain_delay_s, 0, SERVICE_DRAIN_S_LIMIT), NULL,
     "how long to serve on after SIGTERM, not ready (0s)"},
    {"drain_timeout", "DURATION", SECONDS(drain_timeout_s, 1, SERVICE_DRAIN_S_LIMIT), NULL,
     "how long requests under way may take to end (10s)"},

    {"issuers", "JSON", SERVICE_ISSUERS, 0, VALUE_FLAG, 0, 0, 0, NULL, "Issuers",
     "array of objects, each with members as the options below; or one issuer by them"},
    {"issuer", "URL", OF_ISSUER(0), NULL, "iss, exactly; with --tenant its {NAME} varies"},
    {"tenant", "TEXT", OF_ISSUER(SERVICE_MANY), NULL,
     "what {NAME} in the issuer's path may stand for, * for anything"},
    {"trust_domain", "NAME", OF_ISSUER(0), NULL,
     "SPIFFE: tokens of spiffe://NAME/, in place of issuer"},
    {"audience", "TEXT", OF_ISSUER(SERVICE_MANY), NULL, "aud must hold one of them"},
    {"kind", "KIND", OF_ISSUER(0), NULL,
     "id_token (default), workload, client_assertion, logout_token, custom;\n"
     "                             dpop_proof: access tokens bound to a key, whose proofs are\n"
     "                             guarded"},
    {"custom_kind", "NAME", OF_ISSUER(0), NULL, "name of the kind, with kind custom"},
    {"jwks_file", "FILE", OF_ISSUER(0), NULL, "its keys, a JWK Set"},
    {"jwks_url", "URL", OF_ISSUER(0), NULL, "its keys by https (default: by discovery)"},
    {"discovery_url", "URL", OF_ISSUER(0), NULL,
     "its discovery document, where that is not below issuer"},
    {"jwks_token_file", "FILE", OF_ISSUER(0), NULL, "bearer token for the fetch of its keys"},
    {"jwks_ca_file", "FILE", OF_ISSUER(0), NULL,
     "certificate authorities for that fetch, PEM (keys_ca_file)"},
    {"alg", "NAME", OF_ISSUER(SERVICE_MANY), NULL,
     "signature algorithms (RS, PS and ES 256 to 512, EdDSA, Ed25519)"},
    {"typ", "TEXT", OF_ISSUER(SERVICE_MANY), NULL, "typ to accept, empty for none (by kind)"},
    {"scope", "TEXT", OF_ISSUER(SERVICE_MANY), NULL, "scopes that a token must have"},
    {"client", "TEXT", OF_ISSUER(0), NULL, "azp or client_id to accept"},
    {"max_age", "DURATION", OF_ISSUER(0), NULL, "longest time since iat (no limit)"},
    {"jti_claim", "NAME", OF_ISSUER(0), NULL, "the claim that is unique instead of jti, e.g. uti"},
    {"life_without_exp", "DURATION", OF_ISSUER(0), NULL,
     "kind logout_token: how long one without exp lives from iat (it is refused)"},
    {"claim_header", "CLAIM=NAME", OF_ISSUER(SERVICE_MANY), NULL,
     "hand the claim on in this response header"},

    {"max_token_bytes", "N", COUNT(verify.max_token_bytes, 1, VERIFY_MAX_TOKEN_BYTES_LIMIT),
     "Keys and tokens", "longest token (16384)"},
    {"keys_timeout", "DURATION", SECONDS(keys_timeout_s, 1, KEYS_TIMEOUT_MS_LIMIT / 1000),
     NULL, "longest time of a fetch of keys (5s)"},
    {"keys_max_bytes", "N", COUNT(verify.keys_max_bytes, 1, KEYS_MAX_BYTES_LIMIT), NULL,
     "longest document of keys (262144)"},
    {"keys_max_age", "DURATION", SECONDS(verify.keys_max_age_s, 1, KEYS_MAX_AGE_S_LIMIT), NULL,
     "keys are fetched again after this time at the latest (1h)"},
    {"keys_stale", "DURATION", SECONDS(verify.keys_stale_s, 0, KEYS_STALE_S_LIMIT), NULL,
     "how much longer old keys serve while fetches fail (1h)"},
    {"keys_retry", "DURATION", SECONDS(verify.keys_retry_s, 1, KEYS_RETRY_S_LIMIT), NULL,
     "least time between two fetches of one document (10s)"},
    {"keys_wait", "DURATION", SECONDS(keys_wait_s, 0, KEYS_WAIT_MS_LIMIT / 1000), NULL,
     "how long a token may wait for one (2s)"},
    {"keys_ca_file", "FILE", STRING(verify.ca_file, 0), NULL,
     "certificate authorities for all fetches of keys, PEM (the system's)"},
    {"keys_loopback_http", NULL, SERVICE_FLAG, 0, VALUE_FLAG, AT(verify.allow_loopback_http), 0, 0,
     NULL, NULL, "keys by http: from this host; for tests (no)"},
    {"dpop_nonce", NULL, SERVICE_FLAG, 0, VALUE_FLAG, AT(verify.dpop_nonce), 0, 0, NULL, NULL,
     "a proof must hold a nonce of this service (no)"},
    {"dpop_nonce_key", "HEX", STRING(nonce_key, SERVICE_SECRET), NULL,
     "64 hexadecimal digits, the same for all instances (random)"},
    {"dpop_clock", "WHOSE", CHOICE(dpop_clock, clock_names), NULL,
     "what a proof's age is told by: client (iat), or nonce, whatever the client's\n"
     "                             clock says (client)"},
    {"dpop_target", "FROM", CHOICE(target_from, target_names), NULL,
     "method and URL for DPoP: forwarded (X-Forwarded-Method, -Proto, -Host, -Uri),\n"
     "                             original (X-Original-Method, X-Original-URL) or request\n"
     "                             (its own, behind --public-url) (forwarded)"},
    {"forwarded_port", NULL, SERVICE_FLAG, 0, VALUE_FLAG, AT(forwarded_port), 0, 0, NULL, NULL,
     "X-Forwarded-Port belongs to the URL; the proxy must overwrite it (no)"},
    {"forwarded_prefix", NULL, SERVICE_FLAG, 0, VALUE_FLAG, AT(forwarded_prefix), 0, 0, NULL, NULL,
     "X-Forwarded-Prefix belongs to the path; the proxy must overwrite it (no)"},
    {"public_url", "URL", STRING(public_url, 0), NULL, "scheme and host that clients use"},

    {"form_field", "NAME", LIST(form_fields, 0), NULL,
     "field of a form that may hold the token of /check: logout_token, client_assertion\n"
     "                             (none)"},
    {"trusted_proxy", "NETWORK", LIST(trusted_proxy, 0), "Proxies",
     "whose headers are believed: an address, ADDRESS/BITS, or unix\n"
     "                             (127.0.0.0/8, ::1, unix)"},
    {"owner_header", "NAME", STRING(owner_header, 0), NULL,
     "header with the proxy's own request id: two questions with one id get one\n"
     "                             answer; the proxy must overwrite it (none)"},
    {"owner_header_overwritten", NULL, SERVICE_FLAG, 0, VALUE_FLAG, AT(owner_header_overwritten), 0,
     0, NULL, NULL,
     "owner_header may be another than X-Request-ID, X-Unique-ID and X-JTI-...: the proxy\n"
     "                             overwrites it in every request (no)"},
    {"client_header", "NAME", STRING(client_header, 0), NULL,
     "header with the client's address (X-Forwarded-For)"},
    {"subject_header", "NAME", STRING(subject_header, 0), NULL,
     "response header with sub (X-JTI-Subject)"},
    {"issuer_header", "NAME", STRING(issuer_header, 0), NULL,
     "response header with iss (X-JTI-Issuer)"},

    {"api_secret", "TEXT", STRING(api_secret, SERVICE_SECRET), "API",
     "bearer secret of /v1/, at least 16 characters; a file may hold several, one a line"},
    {"max_batch", "N", COUNT(max_batch, 1, SERVICE_BATCH_LIMIT), NULL,
     "most tokens of one /v1/check (100)"},

    {"threads", "N", FIXED_COUNT(threads, 1, SERVICE_THREADS_LIMIT), "Limits",
     "worker threads of a listener (4 a processor, at least 8)"},
    {"max_connections", "N", FIXED_COUNT(max_connections, 1, SERVICE_CONNECTIONS_LIMIT), NULL,
     "most connections of a listener (4096)"},
    {"max_connections_per_client", "N",
     FIXED_COUNT(max_connections_per_client, 1, SERVICE_CONNECTIONS_LIMIT), NULL,
     "most connections of one address; a proxy is one (no limit)"},
    {"max_header_bytes", "N",
     FIXED_COUNT(max_header_bytes, SERVICE_HEADER_BYTES_LEAST, SERVICE_HEADER_BYTES_LIMIT), NULL,
     "longest head of a request (32768)"},
    {"max_body_bytes", "N",
     COUNT(max_body_bytes, SERVICE_BODY_BYTES_LEAST, SERVICE_BODY_BYTES_LIMIT), NULL,
     "longest body (65536)"},
    {"request_timeout", "DURATION",
     FIXED_SECONDS(request_timeout_s, 1, SERVICE_TIMEOUT_S_LIMIT), NULL,
     "longest time for a request to arrive and its answer to leave (10s)"},
    {"keepalive_timeout", "DURATION",
     FIXED_SECONDS(keepalive_timeout_s, 1, SERVICE_TIMEOUT_S_LIMIT), NULL,
     "how long a connection may be idle (75s)"},
    {"replay_cache", "N",
     FIXED_COUNT(replay_cache_entries, 0, SERVICE_REPLAY_CACHE_LIMIT), NULL,
     "known replays to refuse from memory, 0: none (65536)"},
    {"replay_cache_life", "DURATION", SECONDS(replay_cache_s, 1, SERVICE_REPLAY_CACHE_S_LIMIT),
     NULL, "how long one is refused so before the store is asked again (10s)"},
    {"owner_quiet", "DURATION", SECONDS(owner_quiet_s, 1, SERVICE_OWNER_QUIET_S_LIMIT), NULL,
     "with an owner header: its owner is admitted again for at least this long, and never\n"
     "                             after twice as long (5s)"},
    {"refusal_rate", "N", COUNT(refusals.rate, 0, SERVICE_REFUSAL_RATE_LIMIT), NULL,
     "refusals a second that a client may cause, 0: any (0)"},
    {"refusal_burst", "N", COUNT(refusals.burst, 1, SERVICE_REFUSAL_RATE_LIMIT), NULL,
     "how many of them at the same time (20)"},

    {"store", "STORE", STRING(tool.store, SERVICE_FIXED | SERVICE_SECRET), "Store and guard",
     "host: or host:/PATH (this host's store, for all its instances), the URI of a Redis, or\n"
     "                             memory (host: where there can be one, else memory)"},
    {"leeway", "DURATION", FIXED_SECONDS(tool.guard.leeway_s, 0, JTG_LEEWAY_S_LIMIT), NULL,
     "how long after exp a token is accepted (30s)"},
    {"future_leeway", "DURATION",
     FIXED_SECONDS(tool.guard.future_leeway_s, 0, JTG_FUTURE_LEEWAY_S_LIMIT), NULL,
     "how far iat and nbf may be ahead (30s)"},
    {"margin", "DURATION",
     FIXED_SECONDS(tool.guard.retention_margin_s, 1, JTG_RETENTION_MARGIN_S_LIMIT), NULL,
     "how much longer a token is remembered (60s)"},
    {"max_lifetime", "DURATION",
     FIXED_SECONDS(tool.guard.max_lifetime_s, 1, JTG_MAX_LIFETIME_S_LIMIT), NULL,
     "longest life of a token (24h)"},
    {"proof_max_age", "DURATION",
     FIXED_SECONDS(tool.guard.proof_max_age_s, 1, JTG_PROOF_MAX_AGE_S_LIMIT), NULL,
     "longest age of a DPoP proof (5m)"},
    {"restart_rule", NULL, SERVICE_FLAG32, SERVICE_FIXED, VALUE_FLAG,
     AT(tool.guard.restart_rule), 0, 0, NULL, NULL,
     "refuse tokens issued before this process started (no)"},
    {"max_jti_bytes", "N",
     FIXED_COUNT(tool.guard.max_jti_bytes, 1, JTG_MAX_JTI_BYTES_LIMIT), NULL, "longest jti (256)"},
    {"missing_jti", "WHAT", SERVICE_CHOICE, SERVICE_FIXED, VALUE_FLAG,
     AT(tool.guard.missing_jti), 0, 0, missing_names, NULL,
     "what to do with a token without jti: refuse, or digest (refuse)"},
    {"keys", "FORM", SERVICE_PLAIN, SERVICE_FIXED, VALUE_KEY_FORM, 0, 0, 0, NULL, NULL,
     "digest (default), or plain as the Go sts:jti: verifiers"},
    {"prefix", "TEXT", STRING(tool.guard.key_prefix, SERVICE_FIXED), NULL,
     "start of every key (jtg:, or sts:jti:)"},
    {"max_entries", "N",
     FIXED_COUNT64(tool.memory.max_entries, 1, JTG_MEMORY_MAX_ENTRIES_LIMIT), NULL,
     "memory or host store: most tokens remembered at the same time (16777216, 1000000)"},
    {"issuer_share", "N",
     FIXED_COUNT64(tool.memory.max_entries_per_group, 1, JTG_MEMORY_MAX_ENTRIES_LIMIT), NULL,
     "memory or host store: most of them from one issuer (no limit)"},

    {"log_format", "FORM", CHOICE(log_format, format_names), "Log, on standard error",
     "text or json (text)"},
    {"log_level", "LEVEL", SERVICE_LEVEL, 0, VALUE_FLAG, AT(log_level), 0, 0, NULL, NULL,
     "error, warning, info or debug (info)"},
    {"log_rate", "N", COUNT(log_rate, 0, SERVICE_LOG_RATE_LIMIT), NULL,
     "refusals a second to log one by one (50)"},
};
/* clang-format on */

const size_t service_row_count = sizeof service_rows / sizeof *service_rows;

/* "replicas" is the Redis URI's word for servers that confirm a write: who wanted those, and wrote
 * it here, had none. */
const struct service_former service_formers[] = {{"replicas", "instances"}};
const size_t service_former_count = sizeof service_formers / sizeof *service_formers;

const char *service_name_now(const char *name)
{
    for (size_t i = 0; i < service_former_count; i++)
        if (strcmp(service_formers[i].name, name) == 0)
            return service_formers[i].now;
    return name;
}

const struct service_row *service_row_find(const char *name)
{
    for (size_t i = 0; i < service_row_count; i++)
        if (strcmp(service_rows[i].name, name) == 0)
            return &service_rows[i];
    return NULL;
}

const struct service_row *service_row_of_file(const char *name)
{
    static const char suffix[] = "_file";
    for (size_t i = 0; i < service_row_count; i++) {
        size_t len = strlen(service_rows[i].name);
        if ((service_rows[i].marks & SERVICE_SECRET) != 0 &&
            strncmp(service_rows[i].name, name, len) == 0 && strcmp(name + len, suffix) == 0)
            return &service_rows[i];
    }
    return NULL;
}

bool service_row_is_list(const struct service_row *row)
{
    return row->type == SERVICE_LIST ||
           (row->type == SERVICE_ISSUER && (row->marks & SERVICE_MANY) != 0);
}

void service_name_as_flag(const char *name, char text[SERVICE_NAME_BYTES])
{
    (void)snprintf(text, SERVICE_NAME_BYTES, "--%s", name);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '_')
            *at = '-';
}

void service_name_as_variable(const char *name, char text[SERVICE_NAME_BYTES])
{
    (void)snprintf(text, SERVICE_NAME_BYTES, "JTIGUARD_%s", name);
    for (char *at = text; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
}

void service_options_print(FILE *out)
{
    for (size_t i = 0; i < service_row_count; i++) {
        const struct service_row *row = &service_rows[i];
        char flag[SERVICE_NAME_BYTES];
        char left[SERVICE_NAME_BYTES + 16];
        service_name_as_flag(row->name, flag);
        (void)snprintf(left, sizeof left, "%s %s", flag,
                       row->argument != NULL ? row->argument : "");
        if (row->group != NULL)
            (void)fprintf(out, "\n%s:\n", row->group);
        (void)fprintf(out, "  %-26s %s\n", left, row->help);
    }
}
