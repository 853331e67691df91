/* SPDX-License-Identifier: Apache-2.0 */
/* The algorithms: a fixed list, asymmetric only, each tied to one family of keys. That is what
 * keeps `none`, a MAC with a public key, and a key of another kind out (RFC 8725 sections 3.1
 * and 3.2). */
#ifndef SERVE_ALG_H
#define SERVE_ALG_H

#include <stddef.h>
#include <stdint.h>

enum key_family {
    KEY_FAMILY_NONE,
    KEY_FAMILY_RSA,
    KEY_FAMILY_P256,
    KEY_FAMILY_P384,
    KEY_FAMILY_P521,
    KEY_FAMILY_ED25519
};

struct alg {
    const char *name;
    enum key_family family;
    uint32_t bit; /* its own in a set of algorithms */
};

/* Every algorithm; the last has no name. */
extern const struct alg algs[];

/* NULL: none of them. Case counts. */
const struct alg *alg_find(const char *name);

#endif
