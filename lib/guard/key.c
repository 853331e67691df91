/* SPDX-License-Identifier: Apache-2.0 */
/* The digest form, byte for byte:
 *
 *   prefix  base64url-without-padding( SHA-256( part part … ) )
 *   part    length in bytes, 8 bytes big-endian, then the bytes
 *   parts   "jtiguard key 1", name of the kind, custom_kind, issuer, audience, client,
 *           thumbprint, and last 'j' + jti, or 'd' + SHA-256(signing input)
 *
 * A part that the kind does not use, or that is absent, is empty. The lengths make it
 * impossible to move a byte from one part to the next and meet another token's key; the last
 * part's first byte keeps a jti that looks like a digest from meeting one. Whoever changes
 * anything here changes the "1", and opens every token that is remembered under the old key:
 * see docs/decisions/0004-keys.md.
 */
#include "guard/key.h"

#include "core/digest.h"

#include <jtiguard/status.h>
#include <string.h>

static bool is_prefix_byte(unsigned char byte)
{
    return byte > 0x20 && byte != 0x7f;
}

static jtg_status read_prefix(struct jtgi_key_style *style, const char *prefix, jtg_error *err)
{
    style->prefix_len = strnlen(prefix, JTG_KEY_PREFIX_MAX_BYTES + 1);
    if (style->prefix_len == 0 || style->prefix_len > JTG_KEY_PREFIX_MAX_BYTES)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "key_prefix does not have 1 to %d bytes",
                             JTG_KEY_PREFIX_MAX_BYTES);
    for (size_t i = 0; i < style->prefix_len; i++)
        if (!is_prefix_byte((unsigned char)prefix[i]))
            return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                                 "key_prefix has a space or a control character");
    memcpy(style->prefix, prefix, style->prefix_len);
    return JTG_OK;
}

static const char *default_prefix(jtg_key_form form)
{
    return form == JTG_KEY_PLAIN ? JTG_KEY_PREFIX_PLAIN_DEFAULT : JTG_KEY_PREFIX_DIGEST_DEFAULT;
}

jtg_status jtgi_key_style_read(struct jtgi_key_style *style, const jtg_guard_options *options,
                               jtg_error *err)
{
    style->form = options->key_form;
    style->missing_jti = options->missing_jti;
    style->max_jti_bytes = options->max_jti_bytes;
    jtg_status status = read_prefix(
        style, options->key_prefix != NULL ? options->key_prefix : default_prefix(style->form),
        err);
    if (status != JTG_OK || style->form != JTG_KEY_PLAIN)
        return status;
    if (style->missing_jti == JTG_MISSING_JTI_DIGEST)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "missing_jti: a digest does not go with JTG_KEY_PLAIN");
    if (style->prefix_len + style->max_jti_bytes > JTG_KEY_MAX_BYTES)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "max_jti_bytes: more than %zu with this key_prefix and JTG_KEY_PLAIN",
                             (size_t)JTG_KEY_MAX_BYTES - style->prefix_len);
    return JTG_OK;
}

static void add_identity(struct jtgi_digest *digest, const jtg_claims *claims)
{
    unsigned char of_input[crypto_hash_sha256_BYTES];
    if (claims->jti.data_len != 0) {
        jtgi_digest_tagged_part(digest, 'j', claims->jti.data, claims->jti.data_len);
        return;
    }
    (void)crypto_hash_sha256(of_input, (const unsigned char *)claims->signing_input.data,
                             claims->signing_input.data_len);
    jtgi_digest_tagged_part(digest, 'd', of_input, sizeof of_input);
}

static size_t write_digest(const struct jtgi_kind_rule *rule, const jtg_claims *claims,
                           unsigned char *at)
{
    static const char version[] = "jtiguard key 1";
    unsigned char bytes[JTGI_DIGEST_BYTES];
    char text[JTGI_DIGEST_TEXT_BYTES + 1];
    struct jtgi_digest digest;

    jtgi_digest_begin(&digest);
    jtgi_digest_part(&digest, version, sizeof version - 1);
    jtgi_digest_part(&digest, rule->name, strlen(rule->name));
    for (unsigned scope = 0; scope < JTGI_SCOPE_COUNT; scope++) {
        jtg_text part = jtgi_claims_scope(claims, rule, (enum jtgi_scope)scope);
        jtgi_digest_part(&digest, part.data, part.data_len);
    }
    add_identity(&digest, claims);
    jtgi_digest_end(&digest, bytes);
    jtgi_digest_write(bytes, text);
    memcpy(at, text, JTGI_DIGEST_TEXT_BYTES);
    return JTGI_DIGEST_TEXT_BYTES;
}

/* `header.payload` has one dot. A second one is the whole token, whose signature part has
 * several spellings that each verify: one token would get several keys. */
static bool is_signing_input(jtg_text text)
{
    const char *dot = memchr(text.data, '.', text.data_len);
    if (dot == NULL)
        return false;
    size_t rest = text.data_len - (size_t)(dot + 1 - text.data);
    return memchr(dot + 1, '.', rest) == NULL;
}

static jtg_reason check_identity(const struct jtgi_key_style *style, const jtg_claims *claims,
                                 jtg_error *err)
{
    if (claims->jti.data_len > style->max_jti_bytes)
        return JTG_REASON_JTI_TOO_LONG;
    if (jtgi_text_has_nul(claims->jti))
        return JTG_REASON_MALFORMED_JTI;
    if (claims->jti.data_len != 0)
        return JTG_REASON_ADMITTED;
    if (style->missing_jti != JTG_MISSING_JTI_DIGEST || claims->signing_input.data_len == 0)
        return JTG_REASON_MISSING_JTI;
    if (is_signing_input(claims->signing_input))
        return JTG_REASON_ADMITTED;
    (void)jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "claims: signing_input is not header.payload");
    return JTG_REASON_BAD_ARGUMENT;
}

jtg_reason jtgi_key_make(const struct jtgi_key_style *style, const struct jtgi_kind_rule *rule,
                         const jtg_claims *claims, unsigned char *key, size_t *key_len,
                         jtg_error *err)
{
    jtg_reason reason = check_identity(style, claims, err);
    if (reason != JTG_REASON_ADMITTED)
        return reason;
    memcpy(key, style->prefix, style->prefix_len);
    unsigned char *at = key + style->prefix_len;
    if (style->form == JTG_KEY_DIGEST) {
        *key_len = style->prefix_len + write_digest(rule, claims, at);
    } else {
        memcpy(at, claims->jti.data, claims->jti.data_len);
        *key_len = style->prefix_len + claims->jti.data_len;
    }
    return JTG_REASON_ADMITTED;
}
