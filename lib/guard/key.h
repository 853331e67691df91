/* SPDX-License-Identifier: Apache-2.0 */
/* From claims to the bytes under which a token is remembered. */
#ifndef JTGI_GUARD_KEY_H
#define JTGI_GUARD_KEY_H

#include "guard/claims.h"

/* How a guard spells its keys; fixed when it is made. */
struct jtgi_key_style {
    jtg_key_form form;
    jtg_missing_jti missing_jti;
    size_t max_jti_bytes;
    size_t prefix_len;
    char prefix[JTG_KEY_PREFIX_MAX_BYTES];
};

/* Read the options that spell keys; their numbers are within their ranges. */
jtg_status jtgi_key_style_read(struct jtgi_key_style *style, const jtg_guard_options *options,
                               jtg_error *err);

/* Make the key of claims that jtgi_claims_check() has passed with this rule.
 * key has JTG_KEY_MAX_BYTES bytes. Returns JTG_REASON_ADMITTED, or why there is no key. */
jtg_reason jtgi_key_make(const struct jtgi_key_style *style, const struct jtgi_kind_rule *rule,
                         const jtg_claims *claims, unsigned char *key, size_t *key_len,
                         jtg_error *err);

#endif
