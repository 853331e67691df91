/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard key`: the key under which a token is remembered, to look it up in a store. */
#include "message.h"
#include "one_token.h"

#include <stdio.h>
#include <string.h>

static bool print_json(const char *member, const void *text, size_t text_len)
{
    json_t *answer = json_object();
    bool good = json_object_set_new(answer, member, json_stringn(text, text_len)) == 0 &&
                json_dumpf(answer, stdout, JSON_COMPACT) == 0;
    json_decref(answer);
    return good && putchar('\n') != EOF;
}

static bool print_text(const char *key, size_t key_len)
{
    return fwrite(key, 1, key_len, stdout) == key_len && putchar('\n') != EOF;
}

/* As it stands in the store. */
static bool print_whole(const struct settings *settings, const unsigned char *key, size_t key_len)
{
    struct bytes whole = {NULL, 0, 0};
    bool good =
        (settings->store_prefix == NULL || bytes_append_text(&whole, settings->store_prefix)) &&
        bytes_append(&whole, key, key_len);
    if (good)
        good = settings->json ? print_json("key", whole.data, whole.len)
                              : print_text(whole.data, whole.len);
    bytes_clear(&whole);
    return good;
}

static enum exit_code refuse(const struct settings *settings, int reason)
{
    const char *name = reason_name(reason);
    if (settings->json && !print_json("reason", name, strlen(name)))
        return EXIT_TROUBLE;
    complain("key: %s (%s)", name, reason_text(reason));
    return reason_exit_code(reason);
}

static enum exit_code print_key(const struct one_token *token, const struct settings *settings,
                                const jtg_guard *guard)
{
    unsigned char key[JTG_KEY_MAX_BYTES];
    size_t key_len = 0;
    int reason = token->reason;
    if (reason == JTG_REASON_UNDECIDED)
        reason = (int)jtg_guard_key(guard, &token->claims, key, &key_len);
    if (reason != JTG_REASON_ADMITTED)
        return refuse(settings, reason);
    return print_whole(settings, key, key_len) ? EXIT_ADMITTED : EXIT_TROUBLE;
}

/* The URI of the store says how its keys begin, and the store itself is not needed: so none is
 * opened but the smallest. */
static struct settings without_store(const struct settings *settings)
{
    struct settings local = *settings;
    local.store = "memory";
    local.uri = NULL;
    local.memory.max_entries = 1;
    local.memory.sweep_interval_ms = 0;
    return local;
}

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    struct one_token token;
    struct guarding guarding;
    struct settings local = without_store(settings);
    enum exit_code code = one_token_read(&token, &key_command, settings, operand_count, operands);
    if (code == EXIT_ADMITTED)
        code = guarding_open(&guarding, &local);
    if (code == EXIT_ADMITTED) {
        code = print_key(&token, settings, guarding.guard);
        guarding_close(&guarding);
    }
    one_token_clear(&token);
    return code;
}

const struct command key_command = {
    "key",
    COMMAND_KEY,
    "[-]",
    "print the key under which a token is remembered",
    "Prints the key of one token as it is in the store. The store is not asked, and the times are\n"
    "not judged. A plain key contains the jti as it is.\n"
    "\n"
    "Exit: 0 printed, 2 usage, 3 trouble, 4 the claims make no key.\n",
    "  jtiguard key --kind id_token --issuer https://id.example.com --audience api --jti 5c3e8f10\n"
    "  jtiguard key --store 'redis://cache.example?prefix=used:&keys=plain' --kind id_token \\\n"
    "      --issuer https://id.example.com --audience api --jti 5c3e8f10\n",
    run};
