/* SPDX-License-Identifier: Apache-2.0 */
/* How many refusals a client may cause: whoever is over the limit is refused without a look at
 * what it shows. The generic cell rate algorithm, one number a client: the moment at which its
 * account is even again. */
#ifndef SERVE_REFUSAL_LIMIT_H
#define SERVE_REFUSAL_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct refusal_limit;
struct refusal_rule;

/* Room for that many clients at once. NULL when memory is out. */
struct refusal_limit *refusal_limit_new(uint64_t clients);
void refusal_limit_free(struct refusal_limit *limit);

/* Whether this client has used up its refusals. now_ms is monotonic. */
bool refusal_limit_reached(struct refusal_limit *limit, const struct refusal_rule *rule,
                           const void *client, size_t client_len, int64_t now_ms);

/* It caused one more. */
void refusal_limit_count(struct refusal_limit *limit, const struct refusal_rule *rule,
                         const void *client, size_t client_len, int64_t now_ms);

#endif
