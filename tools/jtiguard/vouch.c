/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard vouch`: an operator says that a store has forgotten nothing. */
#include "command.h"
#include "message.h"
#include "moment.h"
#include "store.h"

#include <inttypes.h>
#include <jtiguard/host.h>
#include <stdio.h>

/* Whoever has not read this has not said it. */
static enum exit_code refuse_without_yes(const jtg_guard_options *guard)
{
    uint64_t wait_s = (uint64_t)guard->future_leeway_s + guard->retention_margin_s;
    complain(
        "vouch: with --yes you say that no token was used on this store before, or that it has "
        "kept every use (since --since, if given)");
    complain("vouch: if that is not so, used tokens are admitted again; if you do not know, wait: "
             "tokens issued later than %" PRIu64
             " s after the loss pass by themselves, and 'jtiguard doctor' says when that is",
             wait_s);
    return EXIT_USAGE;
}

static int64_t since_of(const struct settings *settings)
{
    return settings->since_ms == JTG_TIME_ABSENT ? 0 : settings->since_ms;
}

static bool print(const struct settings *settings, int64_t kept_since_ms)
{
    char text[MOMENT_TEXT_BYTES];
    bool is_ever = kept_since_ms <= 0;
    moment_to_text(kept_since_ms, text);
    if (settings->json)
        return printf("{\"vouched\":true,\"kept_since_ms\":%" PRId64 "}\n",
                      is_ever ? 0 : kept_since_ms) > 0;
    return printf("vouched: the store has kept everything%s%s\n", is_ever ? "" : " since ",
                  is_ever ? "" : text) > 0;
}

static enum exit_code fail(jtg_status status, const jtg_error *err)
{
    complain("vouch: %s", err->text[0] != '\0' ? err->text : jtg_status_text(status));
    return status == JTG_ERR_ARGUMENT || status == JTG_ERR_UNSUPPORTED ? EXIT_USAGE : EXIT_TROUBLE;
}

/* Asked again, on another connection, the store answers less than it was just given. */
static enum exit_code fail_other(int64_t kept_since_ms)
{
    char text[MOMENT_TEXT_BYTES];
    moment_to_text(kept_since_ms, text);
    complain("vouch: one server took it, and another, which answers at the same address, has kept "
             "everything since %s only, or has forgotten just now",
             text);
    complain("vouch: nothing is vouched for as long as several stores are behind one address: take "
             "the balancer away ('jtiguard doctor'), and vouch again");
    return EXIT_TROUBLE;
}

/* A store that was vouched for further back keeps that: in a Cluster --since is for the slots that
 * have forgotten, and would refuse what the others have kept. But nobody may think that the time
 * was taken, least of all who knows that more was forgotten than the store says. */
static enum exit_code refuse_later(const struct settings *settings, int64_t kept_since_ms)
{
    char text[MOMENT_TEXT_BYTES];
    bool is_ever = kept_since_ms <= 0;
    moment_to_text(kept_since_ms, text);
    complain("vouch: nothing was changed: the store has kept everything%s%s already, and --since "
             "is later",
             is_ever ? "" : " since ", is_ever ? "" : text);
    complain("vouch: if that is not so, %s: it then begins anew, and --since holds",
             store_kind(settings) == STORE_HOST ? "'jtiguard host lost' says so"
                                                : "restart the server (of a Cluster each primary)");
    return EXIT_USAGE;
}

/* What is said at the end is what the store answers, not what was asked for. */
static enum exit_code vouch(const struct settings *settings, jtg_cache *cache)
{
    jtg_error err = JTG_ERROR_INIT;
    int64_t kept_since_ms = 0;
    jtg_status status = store_kind(settings) == STORE_HOST
                            ? jtg_host_vouch(cache, since_of(settings), &err)
                            : jtg_redis_vouch(cache, since_of(settings), &err);
    if (status == JTG_OK)
        status = jtg_cache_kept_since(cache, &kept_since_ms, &err);
    if (status != JTG_OK)
        return fail(status, &err);
    if (kept_since_ms > since_of(settings) && store_kind(settings) == STORE_REDIS)
        return fail_other(kept_since_ms);
    if (since_of(settings) > 0 && kept_since_ms < since_of(settings))
        return refuse_later(settings, kept_since_ms);
    return print(settings, kept_since_ms) ? EXIT_ADMITTED : EXIT_TROUBLE;
}

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    (void)operands;
    jtg_cache *cache = NULL;
    const char *wrong = NULL;
    if (operand_count > 0)
        wrong = "takes no operand";
    else if (store_kind(settings) == STORE_MEMORY)
        wrong = "a memory store begins and ends with its process: give --store host: or the URI of "
                "a Redis";
    if (wrong != NULL) {
        complain("vouch: %s", wrong);
        return EXIT_USAGE;
    }
    if (!settings->yes)
        return refuse_without_yes(&settings->guard);
    enum exit_code code = store_open(&cache, settings, NULL);
    if (code != EXIT_ADMITTED)
        return code;
    code = vouch(settings, cache);
    jtg_cache_free(cache);
    return code;
}

const struct command vouch_command = {
    "vouch",
    COMMAND_VOUCH,
    "",
    "say that a store has lost nothing",
    "States that the store has kept every use, or with --since every use from then on. The guards\n"
    "of all instances then admit what they refused as continuity_lost. Do so for a store that was\n"
    "empty before any token was used, or of which you know that a restart lost nothing. If it is\n"
    "not so, used tokens are admitted again: therefore --yes. A later --since than what holds is\n"
    "refused.\n"
    "\n"
    "Exit: 0 vouched, 2 usage, no --yes, or a --since that is later than what holds, 3 trouble\n"
    "with the store or the output.\n",
    "  jtiguard vouch --store redis://cache.example --yes\n"
    "  jtiguard vouch --store host: --since 2026-11-20T12:00:00Z --yes\n",
    run};
