/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/alg.h"

#include "serve/verify/verify_settings.h"

#include <string.h>

/* "Ed25519" is the fully specified name of RFC 9864, "EdDSA" the one of RFC 8037. */
const struct alg algs[] = {
    {"RS256", KEY_FAMILY_RSA, 1U << 0},        {"RS384", KEY_FAMILY_RSA, 1U << 1},
    {"RS512", KEY_FAMILY_RSA, 1U << 2},        {"PS256", KEY_FAMILY_RSA, 1U << 3},
    {"PS384", KEY_FAMILY_RSA, 1U << 4},        {"PS512", KEY_FAMILY_RSA, 1U << 5},
    {"ES256", KEY_FAMILY_P256, 1U << 6},       {"ES384", KEY_FAMILY_P384, 1U << 7},
    {"ES512", KEY_FAMILY_P521, 1U << 8},       {"EdDSA", KEY_FAMILY_ED25519, 1U << 9},
    {"Ed25519", KEY_FAMILY_ED25519, 1U << 10}, {NULL, KEY_FAMILY_NONE, 0},
};

const char *const verify_default_algs[] = {"RS256", "RS384", "RS512", "PS256", "PS384",   "PS512",
                                           "ES256", "ES384", "ES512", "EdDSA", "Ed25519", NULL};

const struct alg *alg_find(const char *name)
{
    for (const struct alg *alg = algs; alg->name != NULL; alg++)
        if (strcmp(alg->name, name) == 0)
            return alg;
    return NULL;
}
