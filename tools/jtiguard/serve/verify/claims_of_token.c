/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/claims_of_token.h"

#include "serve/verify/token_times.h"

#include <string.h>

#define LOGOUT_EVENT "http://schemas.openid.net/event/backchannel-logout"

enum { MAX_HEADER_BYTES = 4096 };

static const json_t *member_of(const struct token *token, const char *name)
{
    return json_object_get(token->jws.payload, name);
}

static jtg_text text_of(const json_t *string)
{
    return (jtg_text){json_string_value(string), json_string_length(string)};
}

/* An absent member is fine, one that is no string is not. */
static bool read_text(jtg_text *text, const json_t *value)
{
    if (value == NULL)
        return true;
    *text = text_of(value);
    return json_is_string(value);
}

bool claims_fit_header(jtg_text text)
{
    if (text.data_len == 0)
        return true;
    if (text.data_len > MAX_HEADER_BYTES || text.data[0] == ' ' ||
        text.data[text.data_len - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.data_len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return true;
}

static enum refusal read_texts(struct token *token)
{
    const json_t *azp = member_of(token, "azp");
    const json_t *client = azp != NULL ? azp : member_of(token, "client_id");
    if (!read_text(&token->claims.issuer, member_of(token, "iss")) ||
        !read_text(&token->claims.jti, member_of(token, token->rule->jti_claim)) ||
        !read_text(&token->claims.client, client) ||
        !read_text(&token->subject, member_of(token, "sub")) ||
        !token_times_read(&token->claims, token->jws.payload))
        return REFUSAL_WRONG_TYPE;
    /* A token with an iss keeps it: that may have an entry tomorrow, or on another instance. */
    if (token->rule->trust_domain != NULL && token->claims.issuer.data_len == 0)
        token->claims.issuer = (jtg_text){token->rule->issuer, strlen(token->rule->issuer)};
    return claims_fit_header(token->subject) ? REFUSAL_NONE : REFUSAL_UNSAFE_CLAIM;
}

/* ---- times ---- */

static bool lives_by_iat(const struct token *token)
{
    const jtg_claims *claims = &token->claims;
    return claims->exp_ms == JTG_TIME_ABSENT && token->rule->life_without_exp_ms > 0 &&
           claims->iat_ms >= 0 && claims->iat_ms <= JTG_TIME_MAX_MS;
}

/* exp of logout tokens became required late, and some providers leave it out. Their iat, which must
 * be there, then bounds them as it does a DPoP proof. By life_without_exp they are refused and
 * nothing else: a reload may raise it, and another instance may have a longer one, so that the
 * guard must remember them for the longest life that anybody could allow. */
static enum refusal check_times(struct token *token, int64_t now_ms)
{
    const struct rule *rule = token->rule;
    jtg_claims *claims = &token->claims;
    bool by_iat = lives_by_iat(token);
    if (by_iat)
        claims->exp_ms = claims->iat_ms + rule->life_without_exp_ms;
    enum refusal refusal =
        token_times_check(&rule->limits, claims, rule->kind == JTG_KIND_LOGOUT_TOKEN, now_ms);
    if (by_iat)
        claims->exp_ms =
            (claims->iat_ms < now_ms ? claims->iat_ms : now_ms) + rule->longest_life_ms;
    return refusal;
}

/* ---- aud ---- */

static bool is_in(const char *const *items, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i], text) == 0)
            return true;
    return false;
}

static bool is_ours(const struct rule *rule, const char *audience)
{
    return is_in((const char *const *)rule->audiences.items, rule->audiences.count, audience);
}

/* What aud holds. The least of all scopes the jti: it depends neither on an order nor on which of
 * them are ours, for a reload, or an instance with other settings, would else take a used token for
 * a new one. */
struct audiences {
    bool ours;
    const char *least;
};

static enum refusal take_audience(const struct token *token, const json_t *item,
                                  struct audiences *found)
{
    const char *audience = json_string_value(item);
    if (audience == NULL)
        return REFUSAL_WRONG_TYPE;
    found->ours = found->ours || is_ours(token->rule, audience);
    if (*audience != '\0' && (found->least == NULL || strcmp(audience, found->least) < 0))
        found->least = audience;
    return REFUSAL_NONE;
}

static enum refusal check_audience(struct token *token)
{
    const json_t *aud = member_of(token, "aud");
    struct audiences found = {false, NULL};
    enum refusal refusal = REFUSAL_NONE;
    if (aud == NULL)
        return REFUSAL_MISSING_AUDIENCE;
    if (!json_is_array(aud))
        refusal = take_audience(token, aud, &found);
    for (size_t i = 0; i < json_array_size(aud) && refusal == REFUSAL_NONE; i++)
        refusal = take_audience(token, json_array_get(aud, i), &found);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (!found.ours || found.least == NULL)
        return REFUSAL_WRONG_AUDIENCE;
    token->claims.audience = (jtg_text){found.least, strlen(found.least)};
    return REFUSAL_NONE;
}

/* An ID token for several must say which one it was issued to, and that must be us (OIDC Core
 * section 3.1.3.7): any of the others could have forwarded it. Tokens of machines never say so. */
static enum refusal check_client(const struct token *token)
{
    const struct rule *rule = token->rule;
    const char *client = token->claims.client.data;
    bool has_several = rule->kind == JTG_KIND_ID_TOKEN && !rule->is_workload &&
                       json_array_size(member_of(token, "aud")) > 1;
    if (client == NULL)
        return has_several || rule->client != NULL ? REFUSAL_WRONG_CLIENT : REFUSAL_NONE;
    if (rule->client != NULL)
        return strcmp(client, rule->client) == 0 ? REFUSAL_NONE : REFUSAL_WRONG_CLIENT;
    return has_several && !is_ours(rule, client) ? REFUSAL_WRONG_CLIENT : REFUSAL_NONE;
}

/* ---- what makes the kind ---- */

static const json_t *logout_event(const json_t *payload)
{
    return json_object_get(json_object_get(payload, "events"), LOGOUT_EVENT);
}

/* Some issuers write their empty object as a list: that makes a bad logout token, and no other. */
bool claims_are_of_logout(const json_t *payload)
{
    return logout_event(payload) != NULL;
}

/* OIDC Back-Channel Logout section 2.4. */
static enum refusal check_logout(const struct token *token)
{
    if (!json_is_object(logout_event(token->jws.payload)) || member_of(token, "nonce") != NULL)
        return REFUSAL_WRONG_KIND;
    return token->subject.data_len > 0 || json_is_string(member_of(token, "sid"))
               ? REFUSAL_NONE
               : REFUSAL_MISSING_SUBJECT;
}

static bool same(jtg_text one, jtg_text other)
{
    return one.data_len == other.data_len && memcmp(one.data, other.data, one.data_len) == 0;
}

static enum refusal check_kind(const struct token *token)
{
    if (token->rule->kind == JTG_KIND_LOGOUT_TOKEN)
        return check_logout(token);
    if (claims_are_of_logout(token->jws.payload))
        return REFUSAL_WRONG_KIND;
    if (token->rule->kind == JTG_KIND_CUSTOM)
        return REFUSAL_NONE;
    if (token->subject.data_len == 0)
        return REFUSAL_MISSING_SUBJECT;
    if (token->rule->kind == JTG_KIND_CLIENT_ASSERTION &&
        !same(token->subject, token->claims.issuer))
        return REFUSAL_WRONG_SUBJECT;
    return REFUSAL_NONE;
}

/* ---- cnf: who may show it ---- */

/* Of the members of cnf (RFC 7800) only jkt can be checked here. */
static enum refusal read_binding(struct token *token)
{
    const json_t *cnf = member_of(token, "cnf");
    if (cnf == NULL)
        return REFUSAL_NONE;
    const json_t *jkt = json_object_get(cnf, "jkt");
    if (!json_is_object(cnf) || (jkt != NULL && !json_is_string(jkt)))
        return REFUSAL_WRONG_TYPE;
    if (jkt == NULL || json_object_size(cnf) != 1)
        return REFUSAL_UNKNOWN_BINDING;
    token->bound_to = json_string_value(jkt);
    token->claims.thumbprint = text_of(jkt);
    return REFUSAL_NONE;
}

static enum refusal check_binding(struct token *token, enum token_scheme scheme)
{
    bool is_for_proofs = token->rule->kind == JTG_KIND_DPOP_PROOF;
    enum refusal refusal = read_binding(token);
    if (refusal != REFUSAL_NONE)
        return refusal;
    bool bound = token->bound_to != NULL;
    if (is_for_proofs && !bound)
        return REFUSAL_NOT_BOUND;
    if (scheme == TOKEN_SCHEME_BEARER)
        return bound ? REFUSAL_PROOF_REQUIRED : REFUSAL_NONE;
    return is_for_proofs ? REFUSAL_NONE : REFUSAL_WRONG_KIND;
}

/* ---- chosen claims ---- */

/* Lists and objects become ASCII, so that only texts can be unfit. */
static enum refusal check_headers(const struct token *token)
{
    for (size_t i = 0; i < token->rule->header_count; i++) {
        const json_t *value = member_of(token, token->rule->headers[i].claim);
        if (!claims_fit_header(text_of(value)))
            return REFUSAL_UNSAFE_CLAIM;
    }
    return REFUSAL_NONE;
}

static void name_kind(struct token *token)
{
    const char *custom_kind = token->rule->custom_kind;
    token->claims.kind = token->rule->kind;
    if (custom_kind != NULL)
        token->claims.custom_kind = (jtg_text){custom_kind, strlen(custom_kind)};
    token->claims.signing_input = (jtg_text){token->jws.text, token->jws.signing_input_len};
}

enum refusal claims_of_token_check(struct token *token, enum token_scheme scheme, int64_t now_ms)
{
    name_kind(token);
    enum refusal refusal = read_texts(token);
    if (refusal == REFUSAL_NONE)
        refusal = check_audience(token);
    if (refusal == REFUSAL_NONE)
        refusal = check_times(token, now_ms);
    if (refusal == REFUSAL_NONE)
        refusal = check_client(token);
    if (refusal == REFUSAL_NONE)
        refusal = check_kind(token);
    if (refusal == REFUSAL_NONE)
        refusal = check_binding(token, scheme);
    if (refusal == REFUSAL_NONE)
        refusal = check_headers(token);
    return refusal;
}
