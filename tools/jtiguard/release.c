/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard release`: give a reservation back. */
#include "message.h"
#include "one_token.h"
#include "store.h"

#include <stdio.h>

static enum exit_code exit_code_of(jtg_status status)
{
    if (status == JTG_OK)
        return EXIT_ADMITTED;
    return status == JTG_NOT_FOUND || status == JTG_NOT_OWNER ? EXIT_REPLAYED : EXIT_TROUBLE;
}

static enum exit_code answer(const struct settings *settings, enum exit_code code,
                             const char *reason, const char *text)
{
    bool released = code == EXIT_ADMITTED;
    int printed = 0;
    if (settings->json)
        printed =
            printf("{\"released\":%s,\"reason\":\"%s\"}\n", released ? "true" : "false", reason);
    else if (released)
        printed = printf("released\n");
    else
        printed = printf("not released, %s (%s)\n", reason, text);
    return printed > 0 ? code : EXIT_TROUBLE;
}

static enum exit_code refuse(const struct settings *settings, int reason)
{
    return answer(settings, reason_exit_code(reason), reason_name(reason), reason_text(reason));
}

static enum exit_code release(const struct one_token *token, const struct settings *settings,
                              jtg_guard *guard)
{
    jtg_reservation reservation = {.owner = settings->owner};
    jtg_error err = JTG_ERROR_INIT;
    size_t key_len = 0;
    int reason = token->reason;
    if (reason == JTG_REASON_UNDECIDED)
        reason = (int)jtg_guard_key(guard, &token->claims, reservation.key, &key_len);
    if (reason != JTG_REASON_ADMITTED)
        return refuse(settings, reason);
    reservation.key_len = (uint32_t)key_len;
    jtg_status status = jtg_guard_release(guard, &reservation, &err);
    if (exit_code_of(status) == EXIT_TROUBLE)
        complain_of("release", &err);
    return answer(settings, exit_code_of(status), jtg_status_name(status), jtg_status_text(status));
}

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    struct one_token token;
    struct guarding guarding;
    if (!settings->owner_given) {
        complain("release: wants --owner or --owner-from");
        return EXIT_USAGE;
    }
    enum exit_code code =
        one_token_read(&token, &release_command, settings, operand_count, operands);
    if (code == EXIT_ADMITTED)
        code = guarding_open(&guarding, settings);
    if (code == EXIT_ADMITTED) {
        store_note("release", settings, guarding.cache);
        code = release(&token, settings, guarding.guard);
        guarding_close(&guarding);
    }
    one_token_clear(&token);
    return code;
}

const struct command release_command = {
    "release",
    COMMAND_RELEASE,
    "[-]",
    "let the token of a failed attempt be used again",
    "Removes the reservation of one token if it belongs to this attempt (--owner, --owner-from),\n"
    "so that the token can be used once more. Do so only after a failure that is certain and\n"
    "yours: never because a policy said no, never when the use may have taken effect.\n"
    "\n"
    "Exit: 0 released, 1 not released (nothing live, or another owner's), 2 usage, 3 trouble,\n"
    "4 the claims make no key.\n",
    "  jtiguard release --kind id_token --issuer https://id.example.com --audience api \\\n"
    "      --jti 5c3e8f10 --owner 0f6cbe1e2f8b4a0f9d5d3a7b6c1e2f40\n"
    "  jtiguard release --store redis://cache.example --kind custom --custom-kind 'email link' \\\n"
    "      --jti 42 --owner-from \"request 7\"\n",
    run};
