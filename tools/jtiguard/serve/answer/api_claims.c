/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/api_claims.h"

#include "moment.h"
#include "serve/verify/strict_json.h"

#include <string.h>

enum { OWNER_MAX_BYTES = 512 };

enum member_type { MEMBER_TEXT, MEMBER_TIME, MEMBER_LIFETIME, MEMBER_KIND, MEMBER_OWNER };

struct member {
    const char *name;
    enum member_type type;
    size_t offset; /* in jtg_claims */
};

static const struct member members[] = {
    {"kind", MEMBER_KIND, 0},
    {"custom_kind", MEMBER_TEXT, offsetof(jtg_claims, custom_kind)},
    {"iss", MEMBER_TEXT, offsetof(jtg_claims, issuer)},
    {"aud", MEMBER_TEXT, offsetof(jtg_claims, audience)},
    {"client", MEMBER_TEXT, offsetof(jtg_claims, client)},
    {"thumbprint", MEMBER_TEXT, offsetof(jtg_claims, thumbprint)},
    {"jti", MEMBER_TEXT, offsetof(jtg_claims, jti)},
    {"signing_input", MEMBER_TEXT, offsetof(jtg_claims, signing_input)},
    {"iat", MEMBER_TIME, offsetof(jtg_claims, iat_ms)},
    {"nbf", MEMBER_TIME, offsetof(jtg_claims, nbf_ms)},
    {"exp", MEMBER_TIME, offsetof(jtg_claims, exp_ms)},
    {"lifetime", MEMBER_LIFETIME, offsetof(jtg_claims, lifetime_ms)},
    {"owner", MEMBER_OWNER, 0},
};

static const struct member *find_member(const char *name)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    return NULL;
}

static enum outcome read_owner(struct api_claims *read, const json_t *value)
{
    size_t len = json_string_length(value);
    if (len == 0 || len > OWNER_MAX_BYTES ||
        jtg_owner_from_bytes(&read->owner, json_string_value(value), len) != JTG_OK)
        return SERVICE_MALFORMED_OWNER;
    read->owned = true;
    return OUTCOME_UNDECIDED;
}

static enum outcome read_kind(struct api_claims *read, const json_t *value)
{
    read->claims.kind = jtg_kind_from_name(json_string_value(value));
    return read->claims.kind != JTG_KIND_NONE ? OUTCOME_UNDECIDED : SERVICE_UNKNOWN_KIND;
}

/* One that is less than a millisecond is none that anybody means, and 0 would say that none is
 * stated; the guard refuses a negative one. */
static int64_t read_lifetime(const json_t *value)
{
    int64_t lifetime_ms = moment_from_seconds(json_number_value(value));
    return lifetime_ms != 0 ? lifetime_ms : -1;
}

static bool has_type(const struct member *member, const json_t *value)
{
    return member->type == MEMBER_TIME || member->type == MEMBER_LIFETIME ? json_is_number(value)
                                                                          : json_is_string(value);
}

static enum outcome read_member(struct api_claims *read, const struct member *member,
                                const json_t *value)
{
    void *place = (char *)&read->claims + member->offset;
    if (!has_type(member, value))
        return OUTCOME_TOOL_WRONG_TYPE;
    switch (member->type) {
    case MEMBER_TEXT:
        *(jtg_text *)place = (jtg_text){json_string_value(value), json_string_length(value)};
        return OUTCOME_UNDECIDED;
    case MEMBER_TIME:
        *(int64_t *)place = moment_from_seconds(json_number_value(value));
        return OUTCOME_UNDECIDED;
    case MEMBER_LIFETIME:
        *(int64_t *)place = read_lifetime(value);
        return OUTCOME_UNDECIDED;
    case MEMBER_KIND:
        return read_kind(read, value);
    case MEMBER_OWNER:
        return read_owner(read, value);
    }
    return OUTCOME_TOOL_WRONG_TYPE;
}

/* What an answer can show: a misspelt name, and not a book. */
static const char *showable(const char *name)
{
    enum { SHOWN_MAX = 64 };
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || (unsigned char)name[i] >= 0x7f)
            return NULL;
    return len <= SHOWN_MAX ? name : NULL;
}

enum outcome api_claims_read(struct api_claims *read, json_t *object, struct api_fault *fault)
{
    const char *name = NULL;
    json_t *value = NULL;
    *read = (struct api_claims){.claims = JTG_CLAIMS_INIT};
    if (!json_is_object(object))
        return OUTCOME_TOOL_NOT_AN_OBJECT;
    json_object_foreach(object, name, value)
    {
        const struct member *member = find_member(name);
        enum outcome wrong =
            member != NULL ? read_member(read, member, value) : SERVICE_UNKNOWN_MEMBER;
        if (wrong == OUTCOME_UNDECIDED)
            continue;
        fault->member = showable(name);
        return wrong;
    }
    return OUTCOME_UNDECIDED;
}

enum outcome api_body_read(json_t **root, const char *text, size_t text_len,
                           struct api_fault *fault)
{
    enum json_fault wrong =
        strict_json_read_at(root, text != NULL ? text : "", text_len, &fault->place);
    fault->has_place =
        wrong == JSON_FAULT_SYNTAX || wrong == JSON_FAULT_DUPLICATE || wrong == JSON_FAULT_NUMBER;
    switch (wrong) {
    case JSON_FAULT_NONE:
        return OUTCOME_UNDECIDED;
    case JSON_FAULT_TOO_DEEP:
        return OUTCOME_TOOL_TOO_DEEP;
    case JSON_FAULT_DUPLICATE:
        return OUTCOME_TOOL_DUPLICATE_KEY;
    case JSON_FAULT_NUMBER:
        return OUTCOME_TOOL_NUMBER_TOO_BIG;
    case JSON_FAULT_MEMORY:
        return OUTCOME_OUT_OF_MEMORY;
    case JSON_FAULT_SYNTAX:
        break;
    }
    return OUTCOME_TOOL_MALFORMED_JSON;
}
