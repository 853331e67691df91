/* SPDX-License-Identifier: Apache-2.0 */
#include "option_values.h"

#include "digits.h"
#include "moment.h"
#include "owner_hex.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* A number that is out of its range is told the range, in its own unit. */
static const char *out_of_range(const struct option_row *row, bool seconds)
{
    static _Thread_local char text[96];
    char least[MOMENT_DURATION_BYTES];
    char most[MOMENT_DURATION_BYTES];
    if (seconds) {
        duration_to_text(row->min, least);
        duration_to_text(row->max, most);
    } else {
        (void)snprintf(least, sizeof least, "%" PRIu64, row->min);
        (void)snprintf(most, sizeof most, "%" PRIu64, row->max);
    }
    (void)snprintf(text, sizeof text, "is out of its range, %s to %s", least, most);
    return text;
}

static bool read_count(const char *text, uint64_t *number)
{
    size_t len = strlen(text);
    return len <= 18 && digits_read(text, len, UINT64_MAX, number);
}

static const char *read_number(const struct option_row *row, const char *value, uint64_t *number)
{
    bool seconds = row->type == VALUE_SECONDS32 || row->type == VALUE_SECONDS64;
    if (seconds && !duration_from_text(value, number))
        return "wants a duration of whole seconds with its unit, e.g. 30s, 5m, 24h, 2d";
    if (!seconds && !read_count(value, number))
        return "wants a whole number";
    return *number < row->min || *number > row->max ? out_of_range(row, seconds) : NULL;
}

static const char *set_number(const struct option_row *row, const char *value, void *place)
{
    uint64_t number = 0;
    const char *wrong = read_number(row, value, &number);
    if (wrong != NULL)
        return wrong;
    if (row->type == VALUE_SECONDS32 || row->type == VALUE_COUNT32)
        *(uint32_t *)place = (uint32_t)number;
    else
        *(uint64_t *)place = number;
    return NULL;
}

/* Claims arrive as JSON elsewhere, so what JSON could not hold is refused here too. */
static bool is_usable_text(const char *value)
{
    json_t *probe = json_string(value);
    bool usable = probe != NULL && *value != '\0';
    json_decref(probe);
    return usable;
}

static const char *set_text(const struct option_row *row, const char *value, void *place)
{
    if (!is_usable_text(value))
        return "wants a text that is UTF-8 and not empty";
    if (row->type == VALUE_STRING)
        *(const char **)place = value;
    else
        *(jtg_text *)place = (jtg_text){value, strlen(value)};
    return NULL;
}

static const char *set_kind(const char *value, jtg_kind *kind)
{
    *kind = jtg_kind_from_name(value);
    return *kind != JTG_KIND_NONE ? NULL
                                  : "wants id_token, client_assertion, dpop_proof, logout_token, "
                                    "saml_assertion, security_event, attestation_proof, "
                                    "workload_proof, message_signature, passport, "
                                    "credential_proof or custom";
}

static const char *set_key_form(const char *value, struct settings *settings)
{
    bool plain = strcmp(value, "plain") == 0;
    settings->key_form_given = true;
    settings->guard.key_form = plain ? JTG_KEY_PLAIN : JTG_KEY_DIGEST;
    return plain || strcmp(value, "digest") == 0 ? NULL : "wants digest or plain";
}

static const char *set_owner(const struct option_row *row, const char *value,
                             struct settings *settings)
{
    settings->owner_given = true;
    if (row->type == VALUE_OWNER)
        return owner_from_hex(value, &settings->owner) ? NULL : "wants 32 hexadecimal digits";
    return jtg_owner_from_bytes(&settings->owner, value, strlen(value)) == JTG_OK
               ? NULL
               : "wants a text that is not empty";
}

const char *option_value_read(const struct option_row *row, const char *value,
                              struct settings *settings)
{
    void *place = (char *)settings + row->offset;
    switch (row->type) {
    case VALUE_FLAG:
        *(bool *)place = true;
        return NULL;
    case VALUE_FLAG32:
        *(uint32_t *)place = 1;
        return NULL;
    case VALUE_SECONDS32:
    case VALUE_SECONDS64:
    case VALUE_COUNT32:
    case VALUE_COUNT64:
        return set_number(row, value, place);
    case VALUE_STRING:
    case VALUE_TEXT:
        return set_text(row, value, place);
    case VALUE_MOMENT:
        return moment_from_text(value, place) ? NULL
                                              : "wants seconds since 1970 or an RFC 3339 time";
    case VALUE_KIND:
        return set_kind(value, place);
    case VALUE_KEY_FORM:
        return set_key_form(value, settings);
    case VALUE_OWNER:
    case VALUE_OWNER_FROM:
        return set_owner(row, value, settings);
    }
    return "is not known";
}
