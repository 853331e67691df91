/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard ticket-keys`: look after the session ticket keys of a store, and write them where
 * servers read files. No key is ever printed; their names stand in every ticket. */
#include "command.h"
#include "message.h"
#include "store.h"
#include "ticket_keys_state.h"

#include <string.h>

enum act { ACT_REFRESH, ACT_ROTATE, ACT_REVOKE, ACT_STATUS, ACT_EXPORT, ACTS };

static const char *const act_names[ACTS] = {"refresh", "rotate", "revoke", "status", "export"};

/* What was asked for. */
struct wish {
    enum act act;
    bool for_nginx;   /* else for HAProxy */
    const char *path; /* of an export */
};

/* ---- what was asked for ---- */

static enum exit_code refuse(const char *why)
{
    complain("ticket-keys: %s", why);
    return EXIT_USAGE;
}

static bool find_act(const char *name, enum act *act)
{
    for (int i = 0; i < ACTS; i++) {
        *act = (enum act)i;
        if (strcmp(name, act_names[i]) == 0)
            return true;
    }
    return false;
}

/* NULL, or what is wrong. */
static const char *read_wish(struct wish *wish, int operand_count, char **operands)
{
    *wish = (struct wish){.act = ACTS};
    if (operand_count == 0 || !find_act(operands[0], &wish->act))
        return "wants one of refresh, rotate, revoke, status and export";
    if (wish->act != ACT_EXPORT)
        return operand_count == 1 ? NULL : "takes one word: refresh, rotate, revoke or status";
    wish->for_nginx = operand_count > 1 && strcmp(operands[1], "nginx") == 0;
    if (operand_count != 3 || (!wish->for_nginx && strcmp(operands[1], "haproxy") != 0))
        return "export wants nginx FOLDER, or haproxy FILE";
    wish->path = operands[2];
    return NULL;
}

static const char *find_conflict(const struct settings *settings)
{
    if (settings->ticket_keys.kek_file == NULL)
        return "wants --kek-file: 32 random bytes, for their owner alone";
    if (store_kind(settings) != STORE_REDIS && store_kind(settings) != STORE_HOST)
        return "wants a store that outlives this process: --store host:, or the URI of a Redis";
    return NULL;
}

/* ---- the keys ---- */

static void set_ms(uint32_t *ms, uint32_t seconds)
{
    if (seconds != 0)
        *ms = seconds * 1000;
}

static jtg_status make_keys(jtg_ticket_keys **keys, jtg_cache *cache,
                            const struct settings *settings, jtg_error *err)
{
    jtg_ticket_options options = JTG_TICKET_OPTIONS_INIT;
    jtg_logger logger = message_logger();
    options.zone = settings->ticket_keys.zone;
    options.kek_file = settings->ticket_keys.kek_file;
    options.kek_file_other = settings->ticket_keys.kek_file_other;
    set_ms(&options.rotation_ms, settings->ticket_keys.rotation_s);
    set_ms(&options.refresh_interval_ms, settings->ticket_keys.refresh_interval_s);
    set_ms(&options.publish_lead_ms, settings->ticket_keys.publish_lead_s);
    if (settings->ticket_keys.lifetime_s != 0)
        options.ticket_lifetime_s = settings->ticket_keys.lifetime_s;
    if (settings->ticket_keys.margin_s != TOOL_MARGIN_NOT_GIVEN)
        options.margin_ms = settings->ticket_keys.margin_s * 1000;
    options.single_instance = settings->ticket_keys.single_instance;
    options.refresh_on_use = 0;
    options.logger = &logger;
    return jtg_ticket_keys_new(keys, cache, &options, err);
}

/* ---- acts ---- */

static enum exit_code fail(const jtg_error *err)
{
    complain_of("ticket-keys", err);
    return EXIT_TROUBLE;
}

static jtg_status act_on_set(jtg_ticket_keys *keys, enum act act, jtg_error *err)
{
    switch (act) {
    case ACT_ROTATE:
        return jtg_ticket_keys_rotate(keys, err);
    case ACT_REVOKE:
        return jtg_ticket_keys_revoke(keys, err);
    case ACT_STATUS:
        return jtg_ticket_keys_load(keys, err);
    case ACT_REFRESH:
    case ACT_EXPORT:
    case ACTS:
        break;
    }
    return jtg_ticket_keys_refresh(keys, err);
}

static enum exit_code export_keys(jtg_ticket_keys *keys, const struct wish *wish)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = wish->for_nginx ? jtg_ticket_keys_export_nginx(keys, wish->path, &err)
                                        : jtg_ticket_keys_export_haproxy(keys, wish->path, &err);
    if (status == JTG_OK)
        return EXIT_ADMITTED;
    (void)fail(&err);
    if (status == JTG_ERR_ARGUMENT)
        return EXIT_USAGE;
    return status == JTG_NOT_FOUND ? EXIT_REPLAYED : EXIT_TROUBLE;
}

/* Where no key may seal, status and export end with 1; to have none yet is no failure of a change.
 */
static enum exit_code tell(jtg_ticket_keys *keys, const struct wish *wish, bool json)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_ticket_keys_state state = {.struct_size = sizeof state};
    jtg_status status = jtg_ticket_keys_state_get(keys, &state, &err);
    if (status != JTG_OK)
        return fail(&err);
    if (!ticket_keys_state_print(&state, json))
        return EXIT_TROUBLE;
    return wish->act == ACT_STATUS && !ticket_keys_seal(&state) ? EXIT_REPLAYED : EXIT_ADMITTED;
}

static enum exit_code act(jtg_ticket_keys *keys, const struct wish *wish, bool json)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = act_on_set(keys, wish->act, &err);
    if (status == JTG_NOT_FOUND) {
        complain("ticket-keys: this store has no keys of the zone; 'refresh' makes them");
        return EXIT_REPLAYED;
    }
    if (status != JTG_OK)
        return fail(&err);
    if (wish->act == ACT_EXPORT) {
        enum exit_code code = export_keys(keys, wish);
        if (code != EXIT_ADMITTED)
            return code;
    }
    return tell(keys, wish, json);
}

static enum exit_code run_on(const struct settings *settings, const struct wish *wish,
                             jtg_cache *cache)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_ticket_keys *keys = NULL;
    jtg_status status = make_keys(&keys, cache, settings, &err);
    if (status != JTG_OK) {
        complain_of("ticket-keys", &err);
        return status == JTG_ERR_ARGUMENT || status == JTG_ERR_UNSUPPORTED ? EXIT_USAGE
                                                                           : EXIT_TROUBLE;
    }
    enum exit_code code = act(keys, wish, settings->json);
    jtg_ticket_keys_free(keys);
    return code;
}

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    struct wish wish;
    jtg_cache *cache = NULL;
    const char *wrong = read_wish(&wish, operand_count, operands);
    if (wrong == NULL)
        wrong = find_conflict(settings);
    if (wrong != NULL)
        return refuse(wrong);
    enum exit_code code = store_open(&cache, settings, NULL);
    if (code == EXIT_ADMITTED)
        code = run_on(settings, &wish, cache);
    jtg_cache_free(cache);
    return code;
}

const struct command ticket_keys_command = {
    "ticket-keys",
    COMMAND_TICKET_KEYS,
    "refresh|rotate|revoke|status|export nginx FOLDER|export haproxy FILE",
    "make, rotate and export session ticket keys",
    "The keys under which TLS servers seal their sessions, shared by all of them in one store.\n"
    "Give each command the options that the servers have.\n"
    "\n"
    "  refresh         make the set where there is none, and the next key when it is due\n"
    "  rotate          let the next key seal as soon as all servers can have read it\n"
    "  revoke          delete every key and start again; older tickets no longer work\n"
    "  status          say which keys there are; changes nothing\n"
    "  export nginx    refresh, then write the keys and ticket_keys.conf into a folder\n"
    "  export haproxy  refresh, then write the keys into a file for tls-ticket-keys\n"
    "\n"
    "Reload the server after each export. No key is printed; exported files are keys.\n"
    "After a revocation servers that read files go on with the old keys until the next export.\n"
    "\n"
    "Exit: 0 done; 1 no key may seal now, and nothing was exported; 2 usage; 3 trouble.\n",
    "  jtiguard ticket-keys refresh --kek-file /run/secrets/kek --store redis://cache.example\n"
    "  jtiguard ticket-keys export nginx /etc/nginx/tickets --kek-file /run/secrets/kek \\\n"
    "      --store redis://cache.example\n",
    run};
