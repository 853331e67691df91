/* SPDX-License-Identifier: Apache-2.0 */
/* A validator module for PostgreSQL 18: a token is good for one login.
 *
 * The token is a JWT with Ed25519 that a broker hands to one person for one login, for a minute or
 * so, after that person has logged in to the broker: sub is the role, aud this server. An access
 * token of an API is another thing, and is not to be shown here (docs/recipes.md). */
#include <postgres.h>

#include <fmgr.h>
#include <jansson.h>
#include <jtiguard/jtiguard.h>
#include <libpq/oauth.h>
#include <sodium.h>
#include <string.h>
#include <utils/guc.h>

PG_MODULE_MAGIC;

static char *store_setting;
static char *issuer_setting;
static char *audience_setting;
static char *key_setting;

static jtg_guard *guard; /* of this backend, which is asked once */

/* ---- the token ---- */

static bool decode(const char *text, size_t text_len, unsigned char *into, size_t room, size_t *len)
{
    const char *end = NULL;
    return sodium_base642bin(into, room, text, text_len, NULL, len, &end,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
           end == text + text_len;
}

static json_t *parse(const char *text, size_t text_len)
{
    unsigned char bytes[4096];
    size_t len = 0;
    return decode(text, text_len, bytes, sizeof bytes, &len)
               ? json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL)
               : NULL;
}

static bool is_signed(const char *token, const char *signature)
{
    unsigned char key[crypto_sign_PUBLICKEYBYTES];
    unsigned char bytes[crypto_sign_BYTES];
    size_t key_len = 0;
    size_t len = 0;
    return decode(key_setting, strlen(key_setting), key, sizeof key, &key_len) &&
           key_len == sizeof key &&
           decode(signature + 1, strlen(signature + 1), bytes, sizeof bytes, &len) &&
           len == sizeof bytes &&
           crypto_sign_verify_detached(bytes, (const unsigned char *)token,
                                       (unsigned long long)(signature - token), key) == 0;
}

static bool has_right_header(const char *token, size_t len)
{
    json_t *header = parse(token, len);
    const char *alg = json_string_value(json_object_get(header, "alg"));
    bool right =
        alg != NULL && strcmp(alg, "EdDSA") == 0 && json_object_get(header, "crit") == NULL;
    json_decref(header);
    return right;
}

/* The claims of a token that the broker has signed; NULL: it has not. */
static json_t *verified_claims(const char *token)
{
    const char *payload = strchr(token, '.');
    const char *signature = payload != NULL ? strchr(payload + 1, '.') : NULL;
    if (signature == NULL || !has_right_header(token, (size_t)(payload - token)) ||
        !is_signed(token, signature))
        return NULL;
    return parse(payload + 1, (size_t)(signature - payload - 1));
}

static bool is_text(json_t *claims, const char *name, const char *expected)
{
    const char *value = json_string_value(json_object_get(claims, name));
    return value != NULL && expected[0] != '\0' && strcmp(value, expected) == 0;
}

/* ---- the guard ---- */

static jtg_text text_of(json_t *claims, const char *name)
{
    json_t *value = json_object_get(claims, name);
    return (jtg_text){json_string_value(value), json_string_length(value)};
}

static int64_t ms_of(json_t *claims, const char *name)
{
    json_t *value = json_object_get(claims, name);
    /* What is no whole number of seconds is a time that the guard refuses. */
    json_int_t seconds = json_is_integer(value) ? json_integer_value(value) : -1;
    return seconds >= 0 && seconds <= JTG_TIME_MAX_MS / 1000 ? seconds * 1000 : -1;
}

static bool is_first_use(json_t *token)
{
    jtg_claims claims = JTG_CLAIMS_INIT;
    claims.kind = JTG_KIND_CUSTOM;
    claims.custom_kind = (jtg_text){"database login", strlen("database login")};
    claims.issuer = text_of(token, "iss");
    claims.audience = text_of(token, "aud");
    claims.jti = text_of(token, "jti");
    claims.iat_ms = ms_of(token, "iat");
    claims.exp_ms = ms_of(token, "exp");
    jtg_decision decision = JTG_DECISION_INIT;
    if (guard != NULL && jtg_guard_admit(guard, &claims, &decision, NULL))
        return true;
    ereport(LOG, errmsg("jtiguard: the login token is refused: %s",
                        guard != NULL ? jtg_reason_name(decision.reason) : "no store"));
    return false;
}

/* ---- the module ---- */

static jtg_status open_store(jtg_cache **cache, jtg_error *err)
{
    return strncmp(store_setting, "host:", 5) == 0 ? jtg_host_new_uri(cache, store_setting, err)
                                                   : jtg_redis_new_uri(cache, store_setting, err);
}

/* In the backend, which serves one client: nothing of the guard is older than its process. */
static void start(ValidatorModuleState *state)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    if (sodium_init() < 0 || open_store(&cache, &err) != JTG_OK ||
        jtg_guard_new(&guard, cache, NULL, &err) != JTG_OK)
        ereport(LOG, errmsg("jtiguard: no store, so every login token is refused: %s", err.text));
}

/* The server looks at database and role behind this: so the role is compared here, before the token
 * is used up. A name of a database that is mistyped costs the token. */
static bool validate(const ValidatorModuleState *state, const char *token, const char *role,
                     ValidatorModuleResult *result)
{
    (void)state;
    json_t *claims = verified_claims(token);
    if (claims != NULL && is_text(claims, "iss", issuer_setting) &&
        is_text(claims, "aud", audience_setting) && is_text(claims, "sub", role)) {
        result->authn_id = pstrdup(role);
        result->authorized = is_first_use(claims);
    }
    json_decref(claims);
    return true;
}

static void define(const char *name, const char *what, char **setting, const char *value)
{
    DefineCustomStringVariable(name, what, NULL, setting, value, PGC_SIGHUP, GUC_SUPERUSER_ONLY,
                               NULL, NULL, NULL);
}

void _PG_init(void);
void _PG_init(void)
{
    define("jtiguard.store", "host:, or the URI of a Redis", &store_setting, "host:");
    define("jtiguard.issuer", "iss of login tokens", &issuer_setting, "");
    define("jtiguard.audience", "aud of login tokens: this server", &audience_setting, "");
    define("jtiguard.key", "the broker's Ed25519 key, base64url", &key_setting, "");
    MarkGUCPrefixReserved("jtiguard");
}

const OAuthValidatorCallbacks *_PG_oauth_validator_module_init(void)
{
    static const OAuthValidatorCallbacks callbacks = {
        .magic = PG_OAUTH_VALIDATOR_MAGIC, .startup_cb = start, .validate_cb = validate};
    return &callbacks;
}
