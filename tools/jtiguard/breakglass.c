/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard breakglass`: issue, check and end the break-glass token of a store.
 *
 * A process of the tool ends with its command, so a key of its own would end every token at once:
 * the key comes from a file. Where that file lies decides what a restart means, see
 * docs/breakglass.md. A token goes out on standard output and comes in on standard input, never by
 * the command line, which everybody on the host can see. */
#include "breakglass_audit.h"
#include "breakglass_key.h"
#include "command.h"
#include "message.h"
#include "moment.h"
#include "store.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum act { ACT_KEY, ACT_ISSUE, ACT_CHECK, ACT_REVOKE, ACT_CLEAR, ACT_STATUS, ACTS };

static const char *const act_names[ACTS] = {"key", "issue", "check", "revoke", "clear", "status"};

struct session {
    const struct settings *settings;
    jtg_cache *cache;
    jtg_breakglass *breakglass;
    struct breakglass_audit audit;
};

/* ---- what was asked for ---- */

static enum exit_code refuse(const char *why)
{
    complain("breakglass: %s", why);
    return EXIT_USAGE;
}

static bool takes_token(enum act act)
{
    return act == ACT_CHECK || act == ACT_REVOKE;
}

static const char *find_conflict(const struct settings *settings, enum act act, int operand_count)
{
    bool terms = settings->breakglass.ttl_s != 0 || settings->breakglass.max_uses != 0 ||
                 settings->breakglass.replace;
    if (operand_count > 1)
        return takes_token(act) ? "takes the token from standard input"
                                : "takes one word: key, issue, check, revoke, clear or status";
    if (settings->breakglass.key_file == NULL)
        return "wants --key-file; 'jtiguard breakglass key --key-file FILE' makes one";
    if (terms && act != ACT_ISSUE)
        return "--ttl, --uses and --replace go with issue only";
    if (act != ACT_KEY && store_kind(settings) != STORE_REDIS && store_kind(settings) != STORE_HOST)
        return "wants a store that outlives this process: --store host:, or the URI of a Redis";
    return NULL;
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

/* ---- the session ---- */

static jtg_status make_breakglass(struct session *session, const struct breakglass_key *key,
                                  jtg_error *err)
{
    const struct settings *settings = session->settings;
    jtg_breakglass_options options = JTG_BREAKGLASS_OPTIONS_INIT;
    options.name = settings->breakglass.name;
    options.key = key->bytes;
    if (settings->breakglass.ttl_s != 0)
        options.ttl_ms = settings->breakglass.ttl_s * 1000;
    options.max_uses = settings->breakglass.max_uses;
    options.audit = breakglass_audit_write;
    options.audit_context = &session->audit;
    return jtg_breakglass_new(&session->breakglass, session->cache, &options, err);
}

static enum exit_code open_breakglass(struct session *session)
{
    struct breakglass_key key;
    jtg_error err = JTG_ERROR_INIT;
    enum exit_code code = breakglass_key_read(&key, session->settings->breakglass.key_file);
    if (code != EXIT_ADMITTED)
        return code;
    jtg_status status = make_breakglass(session, &key, &err);
    breakglass_key_wipe(&key);
    if (status == JTG_OK)
        return EXIT_ADMITTED;
    complain_of("breakglass", &err);
    return status == JTG_ERR_ARGUMENT ? EXIT_USAGE : EXIT_TROUBLE;
}

/* The audit before the store: what could not be noted is not done. */
static enum exit_code session_open(struct session *session, const struct settings *settings)
{
    const char *name = settings->breakglass.name;
    *session = (struct session){.settings = settings};
    enum exit_code code = breakglass_audit_open(&session->audit, settings->breakglass.audit_file,
                                                name != NULL ? name : "default");
    if (code == EXIT_ADMITTED)
        code = store_open(&session->cache, settings, NULL);
    return code == EXIT_ADMITTED ? open_breakglass(session) : code;
}

/* An event that did not reach the audit must not pass for one that did. */
static enum exit_code session_close(struct session *session, enum exit_code code)
{
    jtg_breakglass_free(session->breakglass);
    jtg_cache_free(session->cache);
    breakglass_audit_close(&session->audit);
    if (!session->audit.failed)
        return code;
    complain("breakglass: the audit line could not be written");
    return EXIT_TROUBLE;
}

/* ---- tokens in ---- */

struct shown {
    char text[JTG_BREAKGLASS_TEXT_BYTES + 2]; /* with CR and LF */
    size_t len;
};

static enum exit_code read_token(struct shown *shown)
{
    shown->len = 0;
    while (shown->len < sizeof shown->text) {
        ssize_t got = read(STDIN_FILENO, shown->text + shown->len, sizeof shown->text - shown->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            complain("breakglass: cannot read standard input: %s", strerror(errno));
            return EXIT_TROUBLE;
        }
        if (got == 0)
            break;
        shown->len += (size_t)got;
    }
    if (shown->len > 0 && shown->text[shown->len - 1] == '\n')
        shown->len--;
    if (shown->len > 0 && shown->text[shown->len - 1] == '\r')
        shown->len--;
    return EXIT_ADMITTED;
}

/* ---- answers out ---- */

static enum exit_code exit_code_of(jtg_status status)
{
    if (status == JTG_OK)
        return EXIT_ADMITTED;
    return status == JTG_NOT_FOUND || status == JTG_MISMATCH ? EXIT_REPLAYED : EXIT_TROUBLE;
}

static bool print_json(json_t *answer)
{
    bool good = answer != NULL && json_dumpf(answer, stdout, JSON_COMPACT) == 0;
    json_decref(answer);
    return good && putchar('\n') != EOF;
}

static bool add_terms(json_t *answer, const jtg_breakglass_info *info)
{
    char issued[MOMENT_TEXT_BYTES];
    char expires[MOMENT_TEXT_BYTES];
    moment_to_exact_text(info->issued_ms, issued);
    moment_to_exact_text(info->expires_ms, expires);
    return json_object_set_new(answer, "issued", json_string(issued)) == 0 &&
           json_object_set_new(answer, "expires", json_string(expires)) == 0 &&
           json_object_set_new(answer, "uses", json_integer((json_int_t)info->uses)) == 0 &&
           json_object_set_new(answer, "max_uses", json_integer((json_int_t)info->max_uses)) == 0;
}

static bool print_terms(const jtg_breakglass_info *info)
{
    char issued[MOMENT_TEXT_BYTES];
    char expires[MOMENT_TEXT_BYTES];
    moment_to_exact_text(info->issued_ms, issued);
    moment_to_exact_text(info->expires_ms, expires);
    bool good = printf("active, issued %s, ends %s", issued, expires) > 0;
    if (info->max_uses != 0)
        good = printf(", use %llu of %llu", (unsigned long long)info->uses,
                      (unsigned long long)info->max_uses) > 0 &&
               good;
    if (info->own_key == 0)
        good = printf(", of another key") > 0 && good;
    return good && putchar('\n') != EOF;
}

/* Whether a token is active, after check and status. */
static enum exit_code answer_active(const struct session *session, jtg_status status,
                                    const jtg_breakglass_info *info)
{
    bool active = status == JTG_OK;
    bool printed = false;
    if (session->settings->json) {
        json_t *answer =
            json_pack("{s:b, s:s}", "active", (int)active, "status", jtg_status_name(status));
        if (active && (!add_terms(answer, info) ||
                       json_object_set_new(answer, "own_key", json_boolean(info->own_key != 0))))
            return EXIT_TROUBLE;
        printed = print_json(answer);
    } else if (active) {
        printed = print_terms(info);
    } else {
        printed = printf("not active, %s\n", jtg_status_name(status)) > 0;
    }
    return printed ? exit_code_of(status) : EXIT_TROUBLE;
}

static enum exit_code answer_ended(const struct session *session, jtg_status status)
{
    bool ended = status == JTG_OK;
    int printed = session->settings->json
                      ? printf("{\"ended\":%s,\"status\":\"%s\"}\n", ended ? "true" : "false",
                               jtg_status_name(status))
                      : printf(ended ? "ended\n" : "not ended, %s\n", jtg_status_name(status));
    return printed > 0 ? exit_code_of(status) : EXIT_TROUBLE;
}

static bool print_token(const struct session *session, const char *text,
                        const jtg_breakglass_info *info)
{
    if (!session->settings->json)
        return printf("%s\n", text) > 0;
    json_t *answer = json_pack("{s:s}", "token", text);
    return add_terms(answer, info) && print_json(answer);
}

/* ---- acts ---- */

/* A token that nobody will see must not stay active. */
static enum exit_code withdraw(const struct session *session, const char *text)
{
    if (jtg_breakglass_delete(session->breakglass, text, strlen(text), NULL) != JTG_OK)
        complain("breakglass: a token was issued that nobody knows; end it with 'clear'");
    return EXIT_TROUBLE;
}

static enum exit_code issue(struct session *session)
{
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    jtg_breakglass_info info = JTG_BREAKGLASS_INFO_INIT;
    jtg_error err = JTG_ERROR_INIT;
    jtg_breakglass_mode mode =
        session->settings->breakglass.replace ? JTG_BREAKGLASS_REPLACE : JTG_BREAKGLASS_IF_NONE;
    jtg_status status = jtg_breakglass_issue(session->breakglass, mode, text, &info, &err);
    if (status == JTG_MISMATCH)
        complain("breakglass: %s; --replace ends it", err.text);
    else if (status != JTG_OK)
        complain_of("breakglass", &err);
    if (status != JTG_OK)
        return exit_code_of(status);
    enum exit_code code = EXIT_ADMITTED;
    if (session->audit.failed || !print_token(session, text, &info) || fflush(stdout) != 0)
        code = withdraw(session, text);
    sodium_memzero(text, sizeof text);
    return code;
}

static enum exit_code check(struct session *session, const struct shown *shown)
{
    jtg_breakglass_info info = JTG_BREAKGLASS_INFO_INIT;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status =
        jtg_breakglass_lookup(session->breakglass, shown->text, shown->len, &info, &err);
    if (exit_code_of(status) == EXIT_TROUBLE)
        complain_of("breakglass", &err);
    /* Whoever acts on the answer must be found in the audit. */
    return session->audit.failed ? EXIT_TROUBLE : answer_active(session, status, &info);
}

static enum exit_code end_token(struct session *session, const struct shown *shown)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtg_breakglass_delete(session->breakglass, shown->text, shown->len, &err);
    if (exit_code_of(status) == EXIT_TROUBLE)
        complain_of("breakglass", &err);
    return answer_ended(session, status);
}

static enum exit_code clear(struct session *session)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtg_breakglass_clear(session->breakglass, &err);
    if (status != JTG_OK)
        complain_of("breakglass", &err);
    return answer_ended(session, status);
}

static enum exit_code tell_status(struct session *session)
{
    jtg_breakglass_info info = JTG_BREAKGLASS_INFO_INIT;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtg_breakglass_status(session->breakglass, &info, &err);
    if (exit_code_of(status) == EXIT_TROUBLE)
        complain_of("breakglass", &err);
    return answer_active(session, status, &info);
}

static enum exit_code act_on(struct session *session, enum act act, const struct shown *shown)
{
    switch (act) {
    case ACT_ISSUE:
        return issue(session);
    case ACT_CHECK:
        return check(session, shown);
    case ACT_REVOKE:
        return end_token(session, shown);
    case ACT_CLEAR:
        return clear(session);
    case ACT_STATUS:
        return tell_status(session);
    case ACT_KEY:
    case ACTS:
        break;
    }
    return EXIT_USAGE;
}

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    enum act act = ACTS;
    struct session session;
    struct shown shown = {.len = 0};
    if (operand_count == 0 || !find_act(operands[0], &act))
        return refuse("wants one of key, issue, check, revoke, clear and status");
    const char *conflict = find_conflict(settings, act, operand_count);
    if (conflict != NULL)
        return refuse(conflict);
    if (act == ACT_KEY)
        return breakglass_key_create(settings->breakglass.key_file);

    enum exit_code code = session_open(&session, settings);
    if (code == EXIT_ADMITTED && takes_token(act))
        code = read_token(&shown);
    if (code == EXIT_ADMITTED)
        code = act_on(&session, act, &shown);
    sodium_memzero(&shown, sizeof shown);
    return session_close(&session, code);
}

const struct command breakglass_command = {
    "breakglass",
    COMMAND_BREAKGLASS,
    "key|issue|check|revoke|clear|status",
    "issue, check and end the break-glass token",
    "One secret that opens an emergency door, for a short time: at most one token is active at "
    "any\n"
    "instant in a store.\n"
    "\n"
    "  key     make the file of --key-file, with a new key; never overwrites one\n"
    "  issue   issue a token and print it, once; refused while one is active, unless --replace is "
    "given\n"
    "  check   look whether the token on standard input is active; counts a use if --uses is set\n"
    "  revoke  end the token on standard input, if it is the active one\n"
    "  clear   end whatever token is active\n"
    "  status  show whether a token is active, without showing it\n"
    "\n"
    "What is done is noted, without the token, as one JSON line on standard error or in --audit;\n"
    "where that cannot be opened nothing is done. When the line then cannot be written, a token\n"
    "that was issued is ended, a use stays counted and an end stays an end, and the exit is 3.\n"
    "Anybody with the key file and the store can issue tokens. Keep the file on a file system in\n"
    "memory: then a restart of the host ends the token.\n"
    "\n"
    "Exit: 0 done, or active; 1 not active, or a token is active already; 2 usage; 3 trouble.\n",
    "  jtiguard breakglass key --key-file /run/door/key\n"
    "  jtiguard breakglass issue --key-file /run/door/key --store redis://cache.example \\\n"
    "      --ttl 30m --uses 3\n",
    run};
