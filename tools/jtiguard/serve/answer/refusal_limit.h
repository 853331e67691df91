/* SPDX-License-Identifier: Apache-2.0 */
/* How many refusals a client may cause: whoever is over the limit is refused without a look at
 * what it shows. The generic cell rate algorithm, one number a client: the moment at which its
 * account is even again. The table has nothing else in it. */
#ifndef SERVE_REFUSAL_LIMIT_H
#define SERVE_REFUSAL_LIMIT_H

#include "serve/answer/slots.h"

struct refusal_rule;

/* Whether this client has used up its refusals. now_ms is monotonic. */
bool refusal_limit_reached(struct slots *limit, const struct refusal_rule *rule, const void *client,
                           size_t client_len, int64_t now_ms);

/* It caused one more. */
void refusal_limit_count(struct slots *limit, const struct refusal_rule *rule, const void *client,
                         size_t client_len, int64_t now_ms);

#endif
