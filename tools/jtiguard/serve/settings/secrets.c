/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/secrets.h"

#include <sodium.h>
#include <string.h>

static void digest(const struct secrets *secrets, unsigned char out[SECRET_DIGEST_BYTES],
                   const char *text, size_t text_len)
{
    (void)crypto_generichash(out, SECRET_DIGEST_BYTES, (const unsigned char *)text, text_len,
                             secrets->key, sizeof secrets->key);
}

/* What a header can carry as a bearer credential, so that no secret is one that can never match. */
static bool is_sendable(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < '!' || text[i] > '~')
            return false;
    return true;
}

const char *secrets_read(struct secrets *secrets, const char *text)
{
    *secrets = (struct secrets){.count = 0};
    randombytes_buf(secrets->key, sizeof secrets->key);
    while (*text != '\0') {
        size_t line = strcspn(text, "\n");
        size_t len = line > 0 && text[line - 1] == '\r' ? line - 1 : line;
        if (len > 0 && (len < SECRET_LEAST_BYTES || !is_sendable(text, len)))
            return "wants secrets of at least 16 visible ASCII characters, one a line";
        if (len > 0 && secrets->count == SECRETS_LIMIT)
            return "holds more than 8 secrets";
        if (len > 0)
            digest(secrets, secrets->digests[secrets->count++], text, len);
        text += line + (text[line] == '\n' ? 1 : 0);
    }
    return secrets->count > 0 ? NULL : "holds no secret";
}

bool secrets_hold(const struct secrets *secrets, const char *given, size_t given_len)
{
    unsigned char shown[SECRET_DIGEST_BYTES];
    int found = 0;
    digest(secrets, shown, given, given_len);
    for (size_t i = 0; i < secrets->count; i++)
        found |= sodium_memcmp(secrets->digests[i], shown, sizeof shown) == 0 ? 1 : 0;
    return found != 0;
}

void secrets_clear(struct secrets *secrets)
{
    sodium_memzero(secrets, sizeof *secrets);
}
