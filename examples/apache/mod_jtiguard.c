/* SPDX-License-Identifier: Apache-2.0 */
/* A module of Apache httpd: what one process of it has admitted, no other admits, whichever MPM.
 *
 *     apxs -c -i mod_jtiguard.c $(pkg-config --cflags --libs jtiguard)
 *
 * It takes the claims of a token that another module has verified, as mod_auth_openidc hands them
 * on: OIDC_CLAIM_jti and so on. Variables, not headers: those a client can write.
 *
 *     JtiguardStore URI        of the server: the store, host: or host:/path
 *     Jtiguard AUDIENCE        of a location: each token once; the audience for which it is
 * required */
#include <httpd.h> /* which the others need before them */

#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_request.h>
#include <jtiguard/jtiguard.h>

extern module AP_MODULE_DECLARE_DATA jtiguard_module;
APLOG_USE_MODULE(jtiguard);

#define ADMITTED_NOTE "jtiguard-admitted"

static const char *store = "host:";

/* Of this process, made behind fork and used by its threads as long as it lives: at its end some
 * may still be inside, and the system lets go of the store. NULL: every token is refused. */
static jtg_guard *guard;

/* ---- the life of a process ---- */

static void begin(apr_pool_t *pool, server_rec *server)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)pool;
    if (jtg_host_new_uri(&cache, store, &err) != JTG_OK ||
        jtg_guard_new(&guard, cache, NULL, &err) != JTG_OK)
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, server, "jtiguard: no token is admitted: %s",
                     err.text);
}

/* ---- a request ---- */

static jtg_text claim(request_rec *request, const char *variable)
{
    const char *value = apr_table_get(request->subprocess_env, variable);
    return (jtg_text){value, value != NULL ? strlen(value) : 0};
}

/* Absent too if it is not a whole number: the guard then refuses, or trusts it less. */
static int64_t time_claim(request_rec *request, const char *variable)
{
    const char *value = apr_table_get(request->subprocess_env, variable);
    char *end = NULL;
    apr_int64_t seconds = value != NULL ? apr_strtoi64(value, &end, 10) : 0;
    if (end == NULL || end == value || *end != '\0' || seconds < 0 || seconds > INT64_MAX / 1000)
        return JTG_TIME_ABSENT;
    return seconds * 1000;
}

/* It is one call of a macro. NOLINTNEXTLINE(readability-function-cognitive-complexity) */
static void log_refusal(request_rec *request, jtg_reason reason, const char *text)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, request, "jtiguard: %s %s", jtg_reason_name(reason),
                  text);
}

static jtg_reason admit(request_rec *request, const char *audience)
{
    jtg_claims claims = JTG_CLAIMS_INIT;
    jtg_decision decision = JTG_DECISION_INIT;
    jtg_error err = JTG_ERROR_INIT;
    claims.kind = JTG_KIND_ID_TOKEN;
    claims.issuer = claim(request, "OIDC_CLAIM_iss");
    claims.audience = (jtg_text){audience, strlen(audience)};
    claims.jti = claim(request, "OIDC_CLAIM_jti");
    claims.iat_ms = time_claim(request, "OIDC_CLAIM_iat");
    claims.nbf_ms = time_claim(request, "OIDC_CLAIM_nbf");
    claims.exp_ms = time_claim(request, "OIDC_CLAIM_exp");
    if (guard == NULL)
        return JTG_REASON_STORE_UNAVAILABLE;
    if (!jtg_guard_admit(guard, &claims, &decision, &err))
        log_refusal(request, decision.reason, err.text);
    return decision.reason;
}

/* What the client asked for. The server asks itself more on the way, for an index or a page of
 * errors, and those are one use of the token together. */
static request_rec *outermost(request_rec *request)
{
    while (request->main != NULL || request->prev != NULL)
        request = request->main != NULL ? request->main : request->prev;
    return request;
}

/* The last hook before the content: a token that is refused for something else is not used up. */
static int guard_request(request_rec *request)
{
    const char *const *audience = ap_get_module_config(request->per_dir_config, &jtiguard_module);
    request_rec *first = outermost(request);
    if (*audience == NULL || apr_table_get(first->notes, ADMITTED_NOTE) != NULL)
        return DECLINED;
    jtg_reason reason = admit(request, *audience);
    if (reason == JTG_REASON_ADMITTED) {
        apr_table_setn(first->notes, ADMITTED_NOTE, "yes");
        return DECLINED;
    }
    apr_table_setn(request->err_headers_out, "X-JTI-Reason", jtg_reason_name(reason));
    return HTTP_FORBIDDEN;
}

/* ---- configuration ---- */

/* Its type is httpd's. NOLINTNEXTLINE(readability-non-const-parameter) */
static void *new_location(apr_pool_t *pool, char *folder)
{
    (void)folder;
    return apr_pcalloc(pool, sizeof(const char *));
}

static void *merge_locations(apr_pool_t *pool, void *outer, void *inner)
{
    const char **of_inner = inner;
    (void)pool;
    return *of_inner != NULL ? inner : outer;
}

static const char *set_store(cmd_parms *command, void *nothing, const char *uri)
{
    (void)nothing;
    store = apr_pstrdup(command->pool, uri);
    return ap_check_cmd_context(command, GLOBAL_ONLY);
}

static const char *set_audience(cmd_parms *command, void *location, const char *audience)
{
    const char **place = location;
    *place = apr_pstrdup(command->pool, audience);
    return NULL;
}

static const command_rec commands[] = {
    AP_INIT_TAKE1("JtiguardStore", set_store, NULL, RSRC_CONF, "the URI of the store"),
    AP_INIT_TAKE1("Jtiguard", set_audience, NULL, ACCESS_CONF,
                  "the audience for which each token is accepted once"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_child_init(begin, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_fixups(guard_request, NULL, NULL, APR_HOOK_REALLY_LAST);
}

module AP_MODULE_DECLARE_DATA jtiguard_module = {STANDARD20_MODULE_STUFF,
                                                 new_location,
                                                 merge_locations,
                                                 NULL,
                                                 NULL,
                                                 commands,
                                                 register_hooks,
                                                 0};
