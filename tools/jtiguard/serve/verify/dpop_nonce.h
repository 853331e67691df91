/* SPDX-License-Identifier: Apache-2.0 */
/* Nonces for DPoP proofs (RFC 9449 section 9) that need no memory: a keyed hash of the time slot.
 * Instances that share the key take each other's. */
#ifndef SERVE_DPOP_NONCE_H
#define SERVE_DPOP_NONCE_H

#include "serve/verify/rules.h"

/* That of now. */
void dpop_nonce_make(const struct rules *rules, int64_t now_ms, char text[BASE64URL_HASH_BYTES]);

/* Whether it is that of this slot or of the one before; of the next too, for an instance whose
 * clock is ahead may have made it. *made_ms: when its slot began, which is the same whenever and
 * wherever it is asked. */
bool dpop_nonce_is_good(const struct rules *rules, int64_t now_ms, const char *text,
                        int64_t *made_ms);

#endif
