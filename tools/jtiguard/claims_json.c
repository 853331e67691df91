/* SPDX-License-Identifier: Apache-2.0 */
/* Duplicate member names are refused: two parsers that each take another one of them would see
 * two tokens where there is one. Whole numbers are read as doubles, for then a huge exp is a
 * huge exp and not a parse error; NumericDates are exact far beyond the year 9999. */
#include "claims_json.h"

#include "claims_audience.h"
#include "moment.h"

#include <string.h>

#define LOGOUT_EVENT "http://schemas.openid.net/event/backchannel-logout"

enum {
    PARSE_FLAGS =
        JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL
};

/* What each claim is called. */
struct spelling {
    const char *issuer;
    const char *audience;
    const char *jti;
    const char *iat;
    const char *nbf;
    const char *exp;
    bool times_as_text;
};

static const struct spelling jwt = {"iss", "aud", "jti", "iat", "nbf", "exp", false};
static const struct spelling saml = {"Issuer",    "Audience",     "ID", "IssueInstant",
                                     "NotBefore", "NotOnOrAfter", true};

static int reason_of_error(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        return JTG_REASON_OUT_OF_MEMORY;
    case json_error_stack_overflow:
        return TOOL_TOO_DEEP;
    case json_error_invalid_utf8:
        return TOOL_INVALID_UTF8;
    case json_error_duplicate_key:
        return TOOL_DUPLICATE_KEY;
    case json_error_numeric_overflow:
        return TOOL_NUMBER_TOO_BIG;
    default:
        return TOOL_MALFORMED_JSON;
    }
}

static bool is_client_assertion(const json_t *root)
{
    const json_t *iss = json_object_get(root, "iss");
    const json_t *sub = json_object_get(root, "sub");
    return json_is_string(iss) && json_is_string(sub) && json_equal(iss, sub);
}

/* A function of the claims alone, so that a token has the same kind each time it is shown. */
static jtg_kind infer_kind(const json_t *root)
{
    if (json_object_get(root, saml.jti) != NULL || json_object_get(root, saml.exp) != NULL)
        return JTG_KIND_SAML_ASSERTION;
    if (json_object_get(root, "htm") != NULL && json_object_get(root, "htu") != NULL)
        return JTG_KIND_DPOP_PROOF;
    if (json_object_get(json_object_get(root, "events"), LOGOUT_EVENT) != NULL)
        return JTG_KIND_LOGOUT_TOKEN;
    return is_client_assertion(root) ? JTG_KIND_CLIENT_ASSERTION : JTG_KIND_ID_TOKEN;
}

static int read_text(jtg_text *text, const json_t *value)
{
    if (value == NULL)
        return JTG_REASON_UNDECIDED;
    if (!json_is_string(value))
        return TOOL_WRONG_TYPE;
    *text = (jtg_text){json_string_value(value), json_string_length(value)};
    return JTG_REASON_UNDECIDED;
}

static const json_t *first_of(const json_t *one, const json_t *other)
{
    return one != NULL ? one : other;
}

static int read_texts(jtg_claims *claims, const json_t *root, const struct spelling *names)
{
    const json_t *client =
        first_of(json_object_get(root, "azp"), json_object_get(root, "client_id"));
    const json_t *thumbprint = first_of(json_object_get(root, "jkt"),
                                        json_object_get(json_object_get(root, "cnf"), "jkt"));
    const struct {
        jtg_text *text;
        const json_t *value;
    } texts[] = {{&claims->issuer, json_object_get(root, names->issuer)},
                 {&claims->jti, json_object_get(root, names->jti)},
                 {&claims->client, client},
                 {&claims->thumbprint, thumbprint}};
    int reason = JTG_REASON_UNDECIDED;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && reason == JTG_REASON_UNDECIDED; i++)
        reason = read_text(texts[i].text, texts[i].value);
    return reason;
}

static bool read_time(int64_t *ms, const json_t *value, bool as_text)
{
    if (json_is_string(value))
        return as_text &&
               moment_from_rfc3339(json_string_value(value), json_string_length(value), ms);
    if (!json_is_number(value))
        return value == NULL;
    *ms = moment_from_seconds(json_number_value(value));
    return true;
}

static int read_times(jtg_claims *claims, const json_t *root, const struct spelling *names)
{
    if (!read_time(&claims->exp_ms, json_object_get(root, names->exp), names->times_as_text))
        return TOOL_MALFORMED_EXP;
    if (!read_time(&claims->iat_ms, json_object_get(root, names->iat), names->times_as_text))
        return TOOL_MALFORMED_IAT;
    if (!read_time(&claims->nbf_ms, json_object_get(root, names->nbf), names->times_as_text))
        return TOOL_MALFORMED_NBF;
    return JTG_REASON_UNDECIDED;
}

static int read_members(struct claims_json *read, const struct claims_rules *rules)
{
    jtg_claims *claims = &read->claims;
    claims->kind = rules->kind != JTG_KIND_NONE ? rules->kind : infer_kind(read->root);
    claims->custom_kind = rules->custom_kind;

    const struct spelling *names = claims->kind == JTG_KIND_SAML_ASSERTION ? &saml : &jwt;
    int reason = read_texts(claims, read->root, names);
    if (reason == JTG_REASON_UNDECIDED)
        reason = read_times(claims, read->root, names);
    if (reason != JTG_REASON_UNDECIDED)
        return reason;
    /* A proof names no audience: it is bound to its target by htm and htu. */
    jtg_text wanted = claims->kind == JTG_KIND_DPOP_PROOF ? (jtg_text){NULL, 0} : rules->audience;
    return claims_audience_read(&claims->audience, &read->joined_audience,
                                json_object_get(read->root, names->audience), wanted);
}

int claims_json_read(struct claims_json *read, const char *text, size_t text_len,
                     const struct claims_rules *rules)
{
    json_error_t error;
    *read = (struct claims_json){JTG_CLAIMS_INIT, NULL, {NULL, 0, 0}};
    read->root = json_loadb(text, text_len, PARSE_FLAGS, &error);
    if (read->root == NULL)
        return reason_of_error(&error);
    if (!json_is_object(read->root))
        return TOOL_NOT_AN_OBJECT;
    return read_members(read, rules);
}

void claims_json_clear(struct claims_json *read)
{
    json_decref(read->root);
    read->root = NULL;
    bytes_clear(&read->joined_audience);
}
