/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers are taken out of the JSON here and given to cjose as bytes: it would take padding,
 * other spellings and leading zeros, and a leading zero would give one key two thumbprints. */
#include "serve/verify/jwk.h"

#include <openssl/err.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_EXPONENT_BYTES = 4, MAX_COORDINATE_BYTES = 66 };

struct number {
    unsigned char data[JWK_MAX_SIGNATURE_BYTES];
    size_t data_len;
    const char *text; /* borrowed from the JSON */
};

static const struct curve {
    const char *name;
    enum key_family family;
    cjose_jwk_ec_curve id;
    size_t coordinate_bytes;
} curves[] = {{"P-256", KEY_FAMILY_P256, CJOSE_JWK_EC_P_256, 32},
              {"P-384", KEY_FAMILY_P384, CJOSE_JWK_EC_P_384, 48},
              {"P-521", KEY_FAMILY_P521, CJOSE_JWK_EC_P_521, 66}};

static const char *text_member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool member_is(const json_t *object, const char *name, const char *wanted)
{
    const char *text = text_member(object, name);
    return text != NULL && strcmp(text, wanted) == 0;
}

static bool read_number(struct number *number, const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    number->text = json_string_value(member);
    return number->text != NULL &&
           base64url_decode(number->text, json_string_length(member), number->data,
                            sizeof number->data, &number->data_len) &&
           number->data_len > 0;
}

static bool holds_private_part(const json_t *object)
{
    static const char *const parts[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (json_object_get(object, parts[i]) != NULL)
            return true;
    return false;
}

/* RFC 7517 sections 4.2 and 4.3. SPIFFE gives the keys of a bundle a use of their own. */
static bool is_for_signatures(const json_t *object)
{
    const json_t *operations = json_object_get(object, "key_ops");
    if (json_object_get(object, "use") != NULL && !member_is(object, "use", "sig") &&
        !member_is(object, "use", "jwt-svid"))
        return false;
    if (operations == NULL)
        return true;
    for (size_t i = 0; i < json_array_size(operations); i++) {
        const char *operation = json_string_value(json_array_get(operations, i));
        if (operation != NULL && strcmp(operation, "verify") == 0)
            return true;
    }
    return false;
}

/* cjose reports a point off its curve as a want of memory, so that its code says nothing. */
static enum jwk_fault fault_of_cjose(void)
{
    ERR_clear_error();
    return JWK_FAULT_MALFORMED;
}

static size_t bits_of(const struct number *number)
{
    size_t bits = number->data_len * 8;
    for (unsigned first = number->data[0]; first != 0 && first < 0x80; first <<= 1U)
        bits--;
    return bits;
}

static bool is_odd_without_leading_zero(const struct number *number)
{
    return number->data[0] != 0 && (number->data[number->data_len - 1] & 1U) != 0;
}

/* An exponent of 1 would make every message its own signature; a long one makes each check dear. */
static enum jwk_fault judge_rsa(const struct number *n, const struct number *e)
{
    if (!is_odd_without_leading_zero(n) || !is_odd_without_leading_zero(e))
        return JWK_FAULT_MALFORMED;
    if (e->data_len > MAX_EXPONENT_BYTES || (e->data_len == 1 && e->data[0] == 1))
        return JWK_FAULT_WEAK;
    return bits_of(n) < JWK_RSA_MIN_BITS ? JWK_FAULT_WEAK : JWK_FAULT_NONE;
}

/* RFC 7638 section 3.2: the members that make the key, in the order of their names. Each text was
 * read as base64url, so that none needs an escape. */
static void set_thumbprint(struct jwk *jwk, const char *canonical)
{
    base64url_sha256(jwk->thumbprint, canonical, strlen(canonical));
}

static enum jwk_fault read_rsa(struct jwk *jwk, const json_t *object)
{
    char canonical[4 * JWK_MAX_SIGNATURE_BYTES];
    struct number n;
    struct number e;
    if (!read_number(&n, object, "n") || !read_number(&e, object, "e"))
        return JWK_FAULT_MALFORMED;
    enum jwk_fault fault = judge_rsa(&n, &e);
    if (fault != JWK_FAULT_NONE)
        return fault;

    cjose_err error = {0};
    cjose_jwk_rsa_keyspec spec = {.n = n.data, .nlen = n.data_len, .e = e.data, .elen = e.data_len};
    jwk->key = cjose_jwk_create_RSA_spec(&spec, &error);
    if (jwk->key == NULL)
        return fault_of_cjose();
    jwk->family = KEY_FAMILY_RSA;
    jwk->signature_bytes = n.data_len;
    (void)snprintf(canonical, sizeof canonical, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}",
                   e.text, n.text);
    set_thumbprint(jwk, canonical);
    return JWK_FAULT_NONE;
}

static const struct curve *find_curve(const json_t *object)
{
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (member_is(object, "crv", curves[i].name))
            return &curves[i];
    return NULL;
}

size_t jwk_coordinate_bytes(const json_t *object)
{
    const struct curve *curve = find_curve(object);
    return curve != NULL ? curve->coordinate_bytes : 0;
}

/* cjose checks that the point lies on the curve. */
static enum jwk_fault read_ec(struct jwk *jwk, const json_t *object)
{
    char canonical[512];
    struct number x;
    struct number y;
    const struct curve *curve = find_curve(object);
    if (curve == NULL)
        return JWK_FAULT_USELESS;
    if (!read_number(&x, object, "x") || !read_number(&y, object, "y") ||
        x.data_len != curve->coordinate_bytes || y.data_len != curve->coordinate_bytes)
        return JWK_FAULT_MALFORMED;

    cjose_err error = {0};
    cjose_jwk_ec_keyspec spec = {
        .crv = curve->id, .x = x.data, .xlen = x.data_len, .y = y.data, .ylen = y.data_len};
    jwk->key = cjose_jwk_create_EC_spec(&spec, &error);
    if (jwk->key == NULL)
        return fault_of_cjose();
    jwk->family = curve->family;
    jwk->signature_bytes = 2 * curve->coordinate_bytes;
    (void)snprintf(canonical, sizeof canonical,
                   "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", curve->name, x.text,
                   y.text);
    set_thumbprint(jwk, canonical);
    return JWK_FAULT_NONE;
}

/* Ed25519 of RFC 8037. libsodium refuses points of small order when it checks a signature. */
static enum jwk_fault read_okp(struct jwk *jwk, const json_t *object)
{
    char canonical[256];
    struct number x;
    if (!member_is(object, "crv", "Ed25519"))
        return JWK_FAULT_USELESS;
    if (!read_number(&x, object, "x") || x.data_len != sizeof jwk->ed25519)
        return JWK_FAULT_MALFORMED;
    memcpy(jwk->ed25519, x.data, sizeof jwk->ed25519);
    jwk->family = KEY_FAMILY_ED25519;
    jwk->signature_bytes = crypto_sign_ed25519_BYTES;
    (void)snprintf(canonical, sizeof canonical,
                   "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", x.text);
    set_thumbprint(jwk, canonical);
    return JWK_FAULT_NONE;
}

static enum jwk_fault read_numbers(struct jwk *jwk, const json_t *object)
{
    if (holds_private_part(object))
        return JWK_FAULT_PRIVATE;
    if (member_is(object, "kty", "RSA"))
        return read_rsa(jwk, object);
    if (member_is(object, "kty", "EC"))
        return read_ec(jwk, object);
    return member_is(object, "kty", "OKP") ? read_okp(jwk, object) : JWK_FAULT_USELESS;
}

static enum jwk_fault read_kid(struct jwk *jwk, const json_t *object)
{
    const json_t *kid = json_object_get(object, "kid");
    if (kid == NULL)
        return JWK_FAULT_NONE;
    if (!json_is_string(kid) || json_string_length(kid) == 0 ||
        json_string_length(kid) > JWK_MAX_KID_BYTES)
        return JWK_FAULT_MALFORMED;
    jwk->kid = strdup(json_string_value(kid));
    return jwk->kid != NULL ? JWK_FAULT_NONE : JWK_FAULT_MEMORY;
}

/* Not of RFC 7517, but some providers' word on which of their tenants a key is for. */
static enum jwk_fault read_issuer(struct jwk *jwk, const json_t *object)
{
    const char *issuer = text_member(object, "issuer");
    if (issuer == NULL)
        return JWK_FAULT_NONE;
    jwk->issuer = strdup(issuer);
    return jwk->issuer != NULL ? JWK_FAULT_NONE : JWK_FAULT_MEMORY;
}

/* A key for an algorithm that is not in the list, e.g. an encryption, is of no use here. */
static enum jwk_fault read_alg(struct jwk *jwk, const json_t *object)
{
    const json_t *alg = json_object_get(object, "alg");
    if (alg == NULL)
        return JWK_FAULT_NONE;
    jwk->alg = json_is_string(alg) ? alg_find(json_string_value(alg)) : NULL;
    return jwk->alg != NULL && jwk->alg->family == jwk->family ? JWK_FAULT_NONE : JWK_FAULT_USELESS;
}

enum jwk_fault jwk_read(struct jwk *jwk, const json_t *object)
{
    *jwk = (struct jwk){0};
    if (!json_is_object(object))
        return JWK_FAULT_MALFORMED;
    enum jwk_fault fault = read_numbers(jwk, object);
    if (fault == JWK_FAULT_NONE && !is_for_signatures(object))
        fault = JWK_FAULT_USELESS;
    jwk->is_of_svids = member_is(object, "use", "jwt-svid");
    if (fault == JWK_FAULT_NONE)
        fault = read_alg(jwk, object);
    if (fault == JWK_FAULT_NONE)
        fault = read_kid(jwk, object);
    if (fault == JWK_FAULT_NONE)
        fault = read_issuer(jwk, object);
    return fault;
}

void jwk_clear(struct jwk *jwk)
{
    cjose_jwk_release(jwk->key);
    free(jwk->kid);
    free(jwk->issuer);
    *jwk = (struct jwk){0};
}

bool jwk_fits(const struct jwk *jwk, const struct alg *alg)
{
    return jwk->family == alg->family &&
           (jwk->alg == NULL || jwk->alg == alg || jwk->family == KEY_FAMILY_ED25519);
}
