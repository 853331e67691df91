/* SPDX-License-Identifier: Apache-2.0 */
/* cjose checks the signature and nothing else. Its reader takes padding and whatever stands behind
 * it, several spellings of the last letter, and the last of two equal names; its check of an EC
 * signature takes one that is too long. So the text is read strictly here before cjose sees it,
 * and cjose never sees an alg that is not in our list or does not fit the key. */
#include "serve/verify/jws.h"

#include "serve/verify/strict_json.h"

#include <openssl/err.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Exactly two dots. */
static const char *find_dots(const char *text, size_t text_len, const char **first)
{
    *first = memchr(text, '.', text_len);
    if (*first == NULL)
        return NULL;
    size_t rest_len = text_len - (size_t)(*first + 1 - text);
    const char *second = memchr(*first + 1, '.', rest_len);
    if (second == NULL)
        return NULL;
    rest_len = text_len - (size_t)(second + 1 - text);
    return memchr(second + 1, '.', rest_len) == NULL ? second : NULL;
}

static enum refusal refusal_of(enum json_fault fault, enum refusal malformed)
{
    switch (fault) {
    case JSON_FAULT_NONE:
        return REFUSAL_NONE;
    case JSON_FAULT_SYNTAX:
        return malformed;
    case JSON_FAULT_TOO_DEEP:
        return REFUSAL_TOO_DEEP;
    case JSON_FAULT_DUPLICATE:
        return REFUSAL_DUPLICATE_CLAIM;
    case JSON_FAULT_NUMBER:
        return REFUSAL_NUMBER_TOO_BIG;
    case JSON_FAULT_MEMORY:
        break;
    }
    return REFUSAL_OUT_OF_MEMORY;
}

static enum refusal read_part(json_t **part, const char *text, size_t text_len,
                              enum refusal malformed)
{
    size_t json_len = 0;
    unsigned char *json = malloc(BASE64URL_BYTES(text_len));
    if (json == NULL)
        return REFUSAL_OUT_OF_MEMORY;
    enum refusal refusal = REFUSAL_MALFORMED_TOKEN;
    if (base64url_decode(text, text_len, json, BASE64URL_BYTES(text_len), &json_len))
        refusal = refusal_of(strict_json_read(part, (const char *)json, json_len), malformed);
    free(json);
    return refusal;
}

/* An absent member is fine, one that is no string is not. */
static enum refusal read_text(const char **text, const json_t *header, const char *name)
{
    const json_t *member = json_object_get(header, name);
    *text = json_string_value(member);
    return member == NULL || *text != NULL ? REFUSAL_NONE : REFUSAL_WRONG_TYPE;
}

/* No extension is understood here, and b64 changes what is signed (RFC 7797). */
static enum refusal read_header(struct jws *jws)
{
    const char *alg = NULL;
    if (json_object_get(jws->header, "crit") != NULL || json_object_get(jws->header, "b64") != NULL)
        return REFUSAL_CRIT_UNKNOWN;
    enum refusal refusal = read_text(&alg, jws->header, "alg");
    if (refusal == REFUSAL_NONE)
        refusal = read_text(&jws->typ, jws->header, "typ");
    if (refusal == REFUSAL_NONE)
        refusal = read_text(&jws->kid, jws->header, "kid");
    if (refusal != REFUSAL_NONE)
        return refusal;
    jws->alg = alg != NULL ? alg_find(alg) : NULL;
    if (jws->alg == NULL)
        return REFUSAL_UNSUPPORTED_ALG;
    size_t kid_len = jws->kid != NULL ? strlen(jws->kid) : 1;
    return kid_len > 0 && kid_len <= JWK_MAX_KID_BYTES ? REFUSAL_NONE : REFUSAL_MALFORMED_KID;
}

static bool read_signature(const struct jws *jws, unsigned char data[JWK_MAX_SIGNATURE_BYTES],
                           size_t *data_len)
{
    size_t start = jws->signing_input_len + 1;
    return base64url_decode(jws->text + start, jws->text_len - start, data, JWK_MAX_SIGNATURE_BYTES,
                            data_len);
}

enum refusal jws_read_header(struct jws *jws, const char *text, size_t text_len, size_t max_len)
{
    unsigned char signature[JWK_MAX_SIGNATURE_BYTES];
    const char *first = NULL;
    *jws = (struct jws){.text = text, .text_len = text_len};
    if (text_len > max_len)
        return REFUSAL_TOKEN_TOO_LONG;
    const char *second = find_dots(text, text_len, &first);
    if (second == NULL)
        return REFUSAL_MALFORMED_TOKEN;
    jws->header_len = (size_t)(first - text);
    jws->signing_input_len = (size_t)(second - text);
    if (!read_signature(jws, signature, &jws->signature_len))
        return REFUSAL_MALFORMED_TOKEN;
    enum refusal refusal = read_part(&jws->header, text, jws->header_len, REFUSAL_MALFORMED_HEADER);
    return refusal == REFUSAL_NONE ? read_header(jws) : refusal;
}

enum refusal jws_read(struct jws *jws, const char *text, size_t text_len, size_t max_len)
{
    enum refusal refusal = jws_read_header(jws, text, text_len, max_len);
    if (refusal != REFUSAL_NONE)
        return refusal;
    return read_part(&jws->payload, text + jws->header_len + 1,
                     jws->signing_input_len - jws->header_len - 1, REFUSAL_MALFORMED_PAYLOAD);
}

void jws_clear(struct jws *jws)
{
    json_decref(jws->header);
    json_decref(jws->payload);
    *jws = (struct jws){0};
}

static const char *without_application(const char *type)
{
    static const char prefix[] = "application/";
    return strncasecmp(type, prefix, sizeof prefix - 1) == 0 ? type + sizeof prefix - 1 : type;
}

bool jws_same_typ(const char *one, const char *other)
{
    return strcasecmp(without_application(one), without_application(other)) == 0;
}

static bool is_signed_by_ed25519(const struct jws *jws, const struct jwk *jwk)
{
    unsigned char signature[JWK_MAX_SIGNATURE_BYTES];
    size_t signature_len = 0;
    return read_signature(jws, signature, &signature_len) &&
           signature_len == crypto_sign_ed25519_BYTES &&
           crypto_sign_ed25519_verify_detached(signature, (const unsigned char *)jws->text,
                                               jws->signing_input_len, jwk->ed25519) == 0;
}

static bool is_signed_by_cjose(const struct jws *jws, const struct jwk *jwk)
{
    cjose_err error = {0};
    cjose_jws_t *parsed = cjose_jws_import(jws->text, jws->text_len, &error);
    bool is_signed = parsed != NULL && cjose_jws_verify(parsed, jwk->key, &error);
    cjose_jws_release(parsed);
    ERR_clear_error();
    return is_signed;
}

bool jws_is_signed_by(const struct jws *jws, const struct jwk *jwk)
{
    if (!jwk_fits(jwk, jws->alg) || jws->signature_len != jwk->signature_bytes)
        return false;
    return jwk->family == KEY_FAMILY_ED25519 ? is_signed_by_ed25519(jws, jwk)
                                             : is_signed_by_cjose(jws, jwk);
}
