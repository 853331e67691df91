/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/authorization.h"

#include "serve/http/form.h"
#include "serve/settings/form_field.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One visible word: what follows a blank, or a byte that no token has, could be read in two
 * ways. */
static bool is_word(jtg_text text)
{
    for (size_t i = 0; i < text.data_len; i++)
        if (text.data[i] < '!' || text.data[i] > '~' || text.data[i] == ',')
            return false;
    return text.data_len > 0;
}

static jtg_text without_blanks(const char *start, const char *end)
{
    while (start < end && *start == ' ')
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (jtg_text){start, (size_t)(end - start)};
}

enum authorization_answer authorization_split(jtg_text header, const char *scheme, jtg_text *token)
{
    size_t len = strlen(scheme);
    if (header.data_len < len || strncasecmp(header.data, scheme, len) != 0)
        return AUTHORIZATION_OTHER;
    if (header.data_len > len && header.data[len] != ' ')
        return AUTHORIZATION_OTHER;
    *token = without_blanks(header.data + len, header.data + header.data_len);
    return is_word(*token) ? AUTHORIZATION_OK : AUTHORIZATION_MALFORMED;
}

static enum refusal read_proof(struct authorization *shown, const struct exchange *exchange)
{
    struct header_value proof = request_header(&exchange->request, "DPoP");
    if (proof.count > 1)
        return REFUSAL_REPEATED_PROOF;
    if (proof.count == 0 || proof.text.data_len == 0)
        return REFUSAL_MISSING_PROOF;
    shown->proof = proof.text;
    return REFUSAL_NONE;
}

/* ---- in a form ---- */

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static enum refusal refusal_of_form(enum form_answer answer)
{
    switch (answer) {
    case FORM_FOUND:
        return REFUSAL_NONE;
    case FORM_ABSENT:
        return REFUSAL_MISSING_TOKEN;
    case FORM_REPEATED:
        return REFUSAL_REPEATED_AUTHORIZATION;
    case FORM_MALFORMED:
        return REFUSAL_MALFORMED_AUTHORIZATION;
    case FORM_MEMORY:
        break;
    }
    return REFUSAL_OUT_OF_MEMORY;
}

/* RFC 7523 section 2.2: what is no JWT is not meant for us. */
static enum refusal check_assertion_type(const struct bytes *body)
{
    char *type = NULL;
    enum form_answer answer = form_find(body->data, body->len, "client_assertion_type", &type);
    bool is_jwt = answer == FORM_FOUND && strcmp(type, ASSERTION_TYPE) == 0;
    free(type);
    return is_jwt ? REFUSAL_NONE : REFUSAL_MALFORMED_AUTHORIZATION;
}

static enum refusal read_field(struct authorization *shown, const struct bytes *body,
                               const char *name)
{
    enum refusal refusal =
        refusal_of_form(form_find(body->data, body->len, name, &shown->form_value));
    if (refusal != REFUSAL_NONE)
        return refusal;
    shown->kind = form_field_kind(name);
    shown->token = (jtg_text){shown->form_value, strlen(shown->form_value)};
    if (!is_word(shown->token))
        return REFUSAL_MALFORMED_AUTHORIZATION;
    return shown->kind == JTG_KIND_CLIENT_ASSERTION ? check_assertion_type(body) : REFUSAL_NONE;
}

/* A form is posted: of other methods a body means something else, or nothing (RFC 6750 section 2.2,
 * RFC 9110 section 9.3). */
static bool holds_form(const struct exchange *exchange)
{
    struct header_value type = request_header(&exchange->request, "Content-Type");
    return strcmp(exchange->request.method, "POST") == 0 && type.count == 1 &&
           form_is_type(type.text.data, type.text.data_len);
}

/* The first of the fields that is there; and then none of the others may be. */
static enum refusal read_form(struct authorization *shown, const struct exchange *exchange)
{
    const struct text_list *fields = &policy_settings(exchange->policy)->form_fields;
    enum refusal refusal = REFUSAL_MISSING_TOKEN;
    if (!holds_form(exchange))
        return REFUSAL_MISSING_TOKEN;
    for (size_t i = 0; i < fields->count; i++) {
        struct authorization other = {.form_value = NULL};
        enum refusal of_this = read_field(&other, &exchange->request.body, fields->items[i]);
        if (of_this == REFUSAL_MISSING_TOKEN)
            continue;
        if (refusal != REFUSAL_MISSING_TOKEN || of_this != REFUSAL_NONE) {
            authorization_clear(&other);
            return refusal != REFUSAL_MISSING_TOKEN ? REFUSAL_REPEATED_AUTHORIZATION : of_this;
        }
        *shown = other;
        refusal = REFUSAL_NONE;
    }
    return refusal;
}

void authorization_clear(struct authorization *shown)
{
    free(shown->form_value);
    *shown = (struct authorization){.form_value = NULL};
}

/* ---- in the head ---- */

static enum refusal read_header(struct authorization *shown, const struct exchange *exchange,
                                jtg_text header)
{
    enum authorization_answer bearer = authorization_split(header, "Bearer", &shown->token);
    if (bearer == AUTHORIZATION_OK)
        return REFUSAL_NONE;
    enum authorization_answer dpop = authorization_split(header, "DPoP", &shown->token);
    shown->is_dpop = dpop != AUTHORIZATION_OTHER;
    if (dpop == AUTHORIZATION_OK)
        return read_proof(shown, exchange);
    shown->token = (jtg_text){NULL, 0};
    return bearer == AUTHORIZATION_MALFORMED || dpop == AUTHORIZATION_MALFORMED
               ? REFUSAL_MALFORMED_AUTHORIZATION
               : REFUSAL_UNSUPPORTED_SCHEME;
}

/* RFC 6750 section 2: a client shows its token in one way. */
enum refusal authorization_read(struct authorization *shown, const struct exchange *exchange)
{
    struct header_value header = request_header(&exchange->request, "Authorization");
    *shown = (struct authorization){.form_value = NULL};
    if (header.count > 1)
        return REFUSAL_REPEATED_AUTHORIZATION;
    enum refusal refusal = read_form(shown, exchange);
    if (header.count == 0)
        return refusal;
    if (refusal != REFUSAL_MISSING_TOKEN)
        return REFUSAL_REPEATED_AUTHORIZATION;
    return read_header(shown, exchange, header.text);
}
