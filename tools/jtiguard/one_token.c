/* SPDX-License-Identifier: Apache-2.0 */
#include "one_token.h"

#include "message.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool read_input(struct bytes *input, size_t max_bytes)
{
    char block[4096];
    ssize_t got;
    do {
        got = read(STDIN_FILENO, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || !bytes_append(input, block, (size_t)got))
            return false;
    } while (got != 0 && input->len <= max_bytes);
    return true;
}

static enum exit_code read_json(struct one_token *token, const struct settings *settings)
{
    if (!read_input(&token->input, settings->max_line_bytes)) {
        complain("cannot read standard input: %s", strerror(errno));
        return EXIT_TROUBLE;
    }
    struct claims_rules rules = {settings->claims.kind, settings->claims.custom_kind,
                                 settings->claims.audience};
    token->reason =
        token->input.len > settings->max_line_bytes
            ? (int)TOOL_LINE_TOO_LONG
            : claims_json_read(&token->read, token->input.data, token->input.len, &rules);
    token->claims = token->read.claims;
    return EXIT_ADMITTED;
}

enum exit_code one_token_read(struct one_token *token, const struct command *command,
                              const struct settings *settings, int operand_count, char **operands)
{
    *token = (struct one_token){.claims = settings->claims, .reason = JTG_REASON_UNDECIDED};
    bool from_input = operand_count == 1 && strcmp(operands[0], "-") == 0;
    const char *wrong = NULL;
    if (operand_count > 0 && !from_input)
        wrong = "takes options, or '-' to read one JSON object";
    else if (from_input && settings_give_claims(settings))
        wrong = "takes claims from options or from '-', not from both";
    else if (!from_input && settings->claims.kind == JTG_KIND_NONE)
        wrong = "wants --kind, or '-' to read one JSON object";
    if (wrong == NULL)
        return from_input ? read_json(token, settings) : EXIT_ADMITTED;
    complain("%s: %s", command->name, wrong);
    return EXIT_USAGE;
}

void one_token_set_times(struct one_token *token, const struct settings *settings, int64_t now_ms)
{
    if (settings->ttl_s > 0)
        token->claims.exp_ms = now_ms + (int64_t)settings->ttl_s * 1000;
    if (settings->lifetime_s > 0)
        token->claims.lifetime_ms = (int64_t)settings->lifetime_s * 1000;
}

void one_token_clear(struct one_token *token)
{
    claims_json_clear(&token->read);
    bytes_clear(&token->input);
}
