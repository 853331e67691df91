/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/dpop_nonce.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static void make_slot(const struct rules *rules, int64_t slot, char text[BASE64URL_HASH_BYTES])
{
    unsigned char hash[32];
    char message[64];
    (void)snprintf(message, sizeof message, "jtiguard dpop nonce %lld", (long long)slot);
    (void)crypto_generichash(hash, sizeof hash, (const unsigned char *)message, strlen(message),
                             rules->dpop_nonce_key, sizeof rules->dpop_nonce_key);
    base64url_hash(text, hash);
}

void dpop_nonce_make(const struct rules *rules, int64_t now_ms, char text[BASE64URL_HASH_BYTES])
{
    make_slot(rules, now_ms / rules->dpop_nonce_slot_ms, text);
}

bool dpop_nonce_is_good(const struct rules *rules, int64_t now_ms, const char *text,
                        int64_t *made_ms)
{
    char good[BASE64URL_HASH_BYTES];
    int64_t slot = now_ms / rules->dpop_nonce_slot_ms;
    bool is_good = false;
    if (strlen(text) != sizeof good - 1)
        return false;
    for (int64_t candidate = slot - 1; candidate <= slot + 1; candidate++) {
        make_slot(rules, candidate, good);
        if (sodium_memcmp(text, good, sizeof good - 1) != 0)
            continue;
        is_good = true;
        *made_ms = candidate * rules->dpop_nonce_slot_ms;
    }
    return is_good;
}
