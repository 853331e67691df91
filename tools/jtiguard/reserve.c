/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard reserve`: ask the guard for one token. */
#include "continuity.h"
#include "message.h"
#include "one_token.h"
#include "owner_hex.h"
#include "store.h"
#include "verdict.h"

#include <stdio.h>

static bool print_json(int reason, const char *owner, uint64_t ttl_ms)
{
    json_t *answer = json_pack("{s:s, s:s}", "verdict", jtg_verdict_name(reason_verdict(reason)),
                               "reason", reason_name(reason));
    if (*owner != '\0')
        (void)json_object_set_new(answer, "owner", json_string(owner));
    if (ttl_ms > 0)
        (void)json_object_set_new(answer, "ttl_ms", json_integer((json_int_t)ttl_ms));
    bool good = answer != NULL && json_dumpf(answer, stdout, JSON_COMPACT) == 0;
    json_decref(answer);
    return good && putchar('\n') != EOF;
}

static bool print_text(int reason, const char *owner)
{
    struct bytes words = {NULL, 0, 0};
    bool good = verdict_words_write(&words, reason) && bytes_append_text(&words, "\n") &&
                fwrite(words.data, 1, words.len, stdout) == words.len;
    bytes_clear(&words);
    return good && (*owner == '\0' || printf("owner %s\n", owner) > 0);
}

static enum exit_code answer(const struct settings *settings, int reason,
                             const jtg_decision *decision)
{
    char owner[OWNER_HEX_BYTES] = "";
    if (decision->reservation.key_len > 0)
        owner_to_hex(&decision->reservation.owner, owner);
    bool printed =
        settings->json ? print_json(reason, owner, decision->ttl_ms) : print_text(reason, owner);
    return printed ? reason_exit_code(reason) : EXIT_TROUBLE;
}

static enum exit_code reserve(struct one_token *token, const struct settings *settings,
                              const struct guarding *guarding)
{
    jtg_decision decision = JTG_DECISION_INIT;
    jtg_error err = JTG_ERROR_INIT;
    if (token->reason != JTG_REASON_UNDECIDED)
        return answer(settings, token->reason, &decision);
    one_token_set_times(token, settings, guarding_now_ms(guarding));
    token->claims.owner = settings->owner_given ? &settings->owner : NULL;
    bool admitted = jtg_guard_admit(guarding->guard, &token->claims, &decision, &err);
    if (!admitted && decision.reason == JTG_REASON_ADMITTED)
        decision.reason = JTG_REASON_INTERNAL;
    if (decision.reason != JTG_REASON_REPLAYED)
        complain_of("reserve", &err);
    if (decision.reason == JTG_REASON_CONTINUITY_LOST)
        continuity_advise("reserve", settings, guarding);
    return answer(settings, (int)decision.reason, &decision);
}

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    struct one_token token;
    struct guarding guarding;
    enum exit_code code =
        one_token_read(&token, &reserve_command, settings, operand_count, operands);
    if (code == EXIT_ADMITTED)
        code = guarding_open(&guarding, settings);
    if (code == EXIT_ADMITTED) {
        store_note("reserve", settings, guarding.cache);
        code = reserve(&token, settings, &guarding);
        guarding_close(&guarding);
    }
    one_token_clear(&token);
    return code;
}

const struct command reserve_command = {
    "reserve",
    COMMAND_RESERVE,
    "[-]",
    "admit one token, and remember it",
    "Asks the guard for one token: its claims from the options, or as one JSON object from\n"
    "standard input with '-'. Prints the verdict and the owner. The owner is the ID of this\n"
    "attempt: 'release' needs it, and asking again with it gives the same verdict.\n"
    "\n"
    "Exit: 0 admitted, 1 replayed, 2 usage, 3 trouble, 4 refused for what the token is.\n",
    "  jtiguard reserve --kind id_token --issuer https://id.example.com --audience api \\\n"
    "      --jti 5c3e8f10 --ttl 5m\n"
    "  jtiguard reserve --store redis://cache.example --kind custom --custom-kind 'email link' \\\n"
    "      --jti 42 --ttl 1h --owner-from \"request 7\"\n",
    run};
