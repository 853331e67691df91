/* SPDX-License-Identifier: Apache-2.0 */
/* The one token of `reserve`, `release` and `key`: its claims from the options, or as one JSON
 * object from standard input. */
#ifndef TOOL_ONE_TOKEN_H
#define TOOL_ONE_TOKEN_H

#include "claims_json.h"
#include "command.h"
#include "guarding.h"

struct one_token {
    struct bytes input;
    struct claims_json read;
    jtg_claims claims; /* Ready for the guard. Points into the two above and into argv. */
    int reason;        /* JTG_REASON_UNDECIDED, or why the input makes no claims. */
};

/* EXIT_ADMITTED, or the reason was said on stderr. Either way end with one_token_clear(). */
enum exit_code one_token_read(struct one_token *token, const struct command *command,
                              const struct settings *settings, int operand_count, char **operands);

/* Set exp to now + --ttl, and the stated lifetime, where they were given. */
void one_token_set_times(struct one_token *token, const struct settings *settings, int64_t now_ms);

void one_token_clear(struct one_token *token);

#endif
