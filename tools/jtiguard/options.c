/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "long_option.h"
#include "message.h"
#include "option_values.h"

#include <getopt.h>
#include <jtiguard/breakglass.h>
#include <jtiguard/host.h>
#include <jtiguard/ticket_keys.h>
#include <string.h>

/* clang-format off */
enum {
    ONE_TOKEN = COMMAND_RESERVE | COMMAND_RELEASE | COMMAND_KEY,
    OWNED = COMMAND_RESERVE | COMMAND_RELEASE,
    ADMITS = COMMAND_CHECK | COMMAND_RESERVE,
    STORES = COMMAND_CHECK | OWNED,
    GUARDS = COMMAND_CHECK | ONE_TOKEN,
    LOOKS = COMMAND_DOCTOR | COMMAND_ACL | COMMAND_VOUCH,
    TOKEN_STORES = COMMAND_BREAKGLASS | COMMAND_TICKET_KEYS,
    EVERY = GUARDS | LOOKS | TOKEN_STORES | COMMAND_HOST | COMMAND_VERSION
};

#define AT(member) offsetof(struct settings, member)

static const struct option_row rows[] = {
    {"threads", "N", COMMAND_CHECK, VALUE_COUNT64, AT(threads), 1, TOOL_THREADS_LIMIT,
     "worker threads, 1 to 64 (1)"},
    {"report", NULL, COMMAND_CHECK, VALUE_FLAG, AT(report), 0, 0,
     "exit 0 when the input was processed, whatever the verdicts"},
    {"strict", NULL, COMMAND_CHECK, VALUE_FLAG, AT(strict), 0, 0,
     "stop at the first malformed line, with exit 4"},
    {"strict", NULL, COMMAND_DOCTOR, VALUE_FLAG, AT(strict), 0, 0,
     "a warning exits 3 as well"},
    {"quiet", NULL, COMMAND_CHECK, VALUE_FLAG, AT(quiet), 0, 0, "print the summary only"},
    {"max-line-bytes", "N", COMMAND_CHECK, VALUE_COUNT64, AT(max_line_bytes), 1,
     TOOL_LINE_BYTES_LIMIT, "longest line, 1 to 67108864 (1048576)"},
    {"json", NULL, EVERY, VALUE_FLAG, AT(json), 0, 0, "print JSON"},

    {"kind", "KIND", GUARDS, VALUE_KIND, AT(claims.kind), 0, 0,
     "id_token, client_assertion, dpop_proof, logout_token, saml_assertion, security_event, "
     "attestation_proof, workload_proof, message_signature, passport, credential_proof or custom"},
    {"custom-kind", "NAME", GUARDS, VALUE_TEXT, AT(claims.custom_kind), 0, 0,
     "name of the kind, with --kind custom"},
    {"audience", "TEXT", GUARDS, VALUE_TEXT, AT(claims.audience), 0, 0,
     "the audience to accept; a token for another is refused"},
    {"issuer", "TEXT", ONE_TOKEN, VALUE_TEXT, AT(claims.issuer), 0, 0, "iss, or Issuer"},
    {"client", "TEXT", ONE_TOKEN, VALUE_TEXT, AT(claims.client), 0, 0, "azp, or client_id"},
    {"thumbprint", "TEXT", ONE_TOKEN, VALUE_TEXT, AT(claims.thumbprint), 0, 0,
     "JWK SHA-256 thumbprint of a proof's key"},
    {"jti", "TEXT", ONE_TOKEN, VALUE_TEXT, AT(claims.jti), 0, 0, "jti, or the assertion's ID"},
    {"iat", "TIME", ONE_TOKEN, VALUE_MOMENT, AT(claims.iat_ms), 0, 0, "issued at"},
    {"nbf", "TIME", ONE_TOKEN, VALUE_MOMENT, AT(claims.nbf_ms), 0, 0, "not before"},
    {"exp", "TIME", ONE_TOKEN, VALUE_MOMENT, AT(claims.exp_ms), 0, 0, "expires"},
    {"ttl", "DURATION", ONE_TOKEN, VALUE_SECONDS64, AT(ttl_s), 1, JTG_MAX_LIFETIME_S_LIMIT,
     "expires so long from now; instead of --exp"},
    {"lifetime", "DURATION", COMMAND_RESERVE, VALUE_SECONDS64, AT(lifetime_s), 1,
     JTG_MAX_LIFETIME_S_LIMIT,
     "without --iat: longest time from its first to its last moment; a new store then refuses\n"
     "                             it for that long and not for --max-lifetime"},
    {"owner", "HEX", OWNED, VALUE_OWNER, AT(owner), 0, 0,
     "owner of the reservation, 32 hexadecimal digits"},
    {"owner-from", "TEXT", OWNED, VALUE_OWNER_FROM, AT(owner), 0, 0,
     "owner made from an idempotency value of your own proxy"},

    {"now", "TIME", ADMITS, VALUE_MOMENT, AT(now_ms), 0, 0,
     "judge as if it were this moment, and time stood still"},
    {"leeway", "DURATION", ADMITS, VALUE_SECONDS32, AT(guard.leeway_s), 0, JTG_LEEWAY_S_LIMIT,
     "how long after exp a token is accepted, 0s to 300s (30s)"},
    {"future-leeway", "DURATION", ADMITS | COMMAND_DOCTOR, VALUE_SECONDS32, AT(guard.future_leeway_s), 0,
     JTG_FUTURE_LEEWAY_S_LIMIT, "how far iat and nbf may be ahead, 0s to 300s (30s)"},
    {"margin", "DURATION", ADMITS | COMMAND_DOCTOR, VALUE_SECONDS32, AT(guard.retention_margin_s), 1,
     JTG_RETENTION_MARGIN_S_LIMIT, "how much longer a token is remembered, 1s to 1h (60s)"},
    {"max-lifetime", "DURATION", ADMITS | COMMAND_DOCTOR, VALUE_SECONDS32, AT(guard.max_lifetime_s), 1,
     JTG_MAX_LIFETIME_S_LIMIT, "longest life of a token, 1s to 31d (24h)"},
    {"proof-max-age", "DURATION", ADMITS, VALUE_SECONDS32, AT(guard.proof_max_age_s), 1,
     JTG_PROOF_MAX_AGE_S_LIMIT, "longest age of a DPoP proof, 1s to 1h (5m)"},
    {"restart-rule", NULL, ADMITS, VALUE_FLAG32, AT(guard.restart_rule), 0, 0,
     "refuse tokens issued before this process started"},
    {"max-jti-bytes", "N", GUARDS, VALUE_COUNT32, AT(guard.max_jti_bytes), 1,
     JTG_MAX_JTI_BYTES_LIMIT, "longest jti, 1 to 4096 (256)"},
    {"keys", "FORM", GUARDS | LOOKS, VALUE_KEY_FORM, AT(guard.key_form), 0, 0,
     "digest (default), or plain as the Go sts:jti: verifiers"},
    {"prefix", "TEXT", GUARDS | LOOKS, VALUE_STRING, AT(guard.key_prefix), 0, 0,
     "start of every key (jtg:, or sts:jti: with --keys plain)"},

    {"since", "TIME", COMMAND_VOUCH, VALUE_MOMENT, AT(since_ms), 0, 0,
     "since when it has kept everything (ever)"},
    {"yes", NULL, COMMAND_VOUCH, VALUE_FLAG, AT(yes), 0, 0,
     "I know that it is so; else used tokens are admitted again"},
    {"yes", NULL, COMMAND_HOST, VALUE_FLAG, AT(yes), 0, 0,
     "lost: I know that older tokens are refused from now on"},
    {"group", "GROUP", COMMAND_HOST, VALUE_STRING, AT(host.group), 0, 0,
     "create: a group whose members may use the store, by name or number (none)"},
    {"owner", "USER", COMMAND_HOST, VALUE_STRING, AT(host.owner), 0, 0,
     "create: whose it is, by name or number; else also: whose file is accepted beside\n"
     "                             root's and one's own (who makes it)"},
    {"user", "NAME", COMMAND_ACL, VALUE_STRING, AT(user), 0, 0,
     "the ACL user (that of the store, else jtiguard)"},
    {"key-file", "FILE", COMMAND_BREAKGLASS, VALUE_STRING, AT(breakglass.key_file), 0, 0,
     "file of the key, for its owner alone"},
    {"name", "NAME", COMMAND_BREAKGLASS, VALUE_STRING, AT(breakglass.name), 0, 0,
     "the place; each has a token of its own (default)"},
    {"audit", "FILE", COMMAND_BREAKGLASS, VALUE_STRING, AT(breakglass.audit_file), 0, 0,
     "file to append the audit lines to (standard error)"},
    {"ttl", "DURATION", COMMAND_BREAKGLASS, VALUE_SECONDS64, AT(breakglass.ttl_s), 1,
     JTG_BREAKGLASS_TTL_MS_LIMIT / 1000, "issue: how long the token lives, 1s to 31d (1h)"},
    {"uses", "N", COMMAND_BREAKGLASS, VALUE_COUNT32, AT(breakglass.max_uses), 1,
     JTG_BREAKGLASS_MAX_USES_LIMIT, "issue: how often it can be checked, 1 to 1000000 (no limit)"},
    {"replace", NULL, COMMAND_BREAKGLASS, VALUE_FLAG, AT(breakglass.replace), 0, 0,
     "issue: end the token that is active"},
    {"zone", "NAME", COMMAND_TICKET_KEYS, VALUE_STRING, AT(ticket_keys.zone), 0, 0,
     "the servers that share sessions; each zone has keys of its own (default)"},
    {"kek-file", "FILE", COMMAND_TICKET_KEYS, VALUE_STRING, AT(ticket_keys.kek_file), 0, 0,
     "key under which the keys are stored: 32 bytes or 64 hexadecimal digits"},
    {"kek-file-other", "FILE", COMMAND_TICKET_KEYS, VALUE_STRING, AT(ticket_keys.kek_file_other),
     0, 0, "a second one that opens what is stored, while the first takes its place"},
    {"rotation", "DURATION", COMMAND_TICKET_KEYS, VALUE_SECONDS32, AT(ticket_keys.rotation_s), 1,
     JTG_TICKET_ROTATION_MS_LIMIT / 1000, "how long a key seals, 1s to 7d (1h)"},
    {"lifetime", "DURATION", COMMAND_TICKET_KEYS, VALUE_SECONDS32, AT(ticket_keys.lifetime_s), 1,
     JTG_TICKET_LIFETIME_S_LIMIT, "longest life of a ticket, 1s to 7d (24h)"},
    {"refresh-interval", "DURATION", COMMAND_TICKET_KEYS, VALUE_SECONDS32,
     AT(ticket_keys.refresh_interval_s), 1, JTG_TICKET_ROTATION_MS_LIMIT / 1000,
     "how often servers read the keys, 1s to the lead (20s)"},
    {"publish-lead", "DURATION", COMMAND_TICKET_KEYS, VALUE_SECONDS32,
     AT(ticket_keys.publish_lead_s), 1, JTG_TICKET_ROTATION_MS_LIMIT / 1000,
     "how long a key is known before it seals, 1s to the rotation (60s)"},
    {"margin", "DURATION", COMMAND_TICKET_KEYS, VALUE_SECONDS32, AT(ticket_keys.margin_s), 0,
     JTG_TICKET_ROTATION_MS_LIMIT / 1000,
     "how far the times of two servers may differ, 0s to the rotation (10s)"},
    {"single-instance", NULL, COMMAND_TICKET_KEYS, VALUE_FLAG, AT(ticket_keys.single_instance), 0,
     0, "nobody else reads the keys: they seal as soon as they are made"},
    {"store", "STORE", GUARDS | LOOKS | TOKEN_STORES | COMMAND_HOST, VALUE_STRING, AT(store), 0, 0,
     "where tokens are remembered: memory, host: or host:/PATH (this host's store), or the\n"
     "                             URI of a Redis, redis://, rediss://, unix://,\n"
     "                             redis+sentinel:// or redis+cluster:// (redis may be spelt\n"
     "                             valkey); also from JTIGUARD_STORE (reserve, release,\n"
     "                             doctor, vouch, host: the host's; else memory)"},
    {"max-entries", "N", STORES | COMMAND_DOCTOR | COMMAND_HOST, VALUE_COUNT64,
     AT(memory.max_entries), 1, JTG_MEMORY_MAX_ENTRIES_LIMIT,
     "most tokens remembered at the same time, 1 to 10^9 (memory 16777216, a host store 1000000)"},
    {"issuer-share", "N", STORES | COMMAND_HOST, VALUE_COUNT64, AT(memory.max_entries_per_group), 1,
     JTG_MEMORY_MAX_ENTRIES_LIMIT, "most of them from one issuer (no limit)"},
    {"max-values", "N", COMMAND_HOST, VALUE_COUNT64, AT(host.max_values), 1,
     JTG_HOST_MAX_VALUES_LIMIT,
     "most values, as ticket keys and sessions, 1 to 1000000 (1000)"},
    {"max-value-bytes", "N", COMMAND_HOST, VALUE_COUNT64, AT(host.max_value_bytes), 1,
     JTG_HOST_MAX_VALUE_BYTES_LIMIT,
     "most bytes of values with their keys, 1 to 2^30 (2097152)"},
};
/* clang-format on */

enum { ROW_COUNT = sizeof rows / sizeof *rows };

/* Beyond every character, so that it is never taken for a short option. */
enum { FIRST_ROW_VALUE = 1000 };

static int list_long_options(const struct command *command, struct option *list)
{
    int count = 0;
    list[count++] = (struct option){"help", no_argument, NULL, 'h'};
    for (int i = 0; i < ROW_COUNT; i++)
        if ((rows[i].commands & command->bit) != 0)
            list[count++] = (struct option){
                rows[i].name, rows[i].argument != NULL ? required_argument : no_argument, NULL,
                FIRST_ROW_VALUE + i};
    list[count] = (struct option){NULL, 0, NULL, 0};
    return count;
}

/* The value behind '=' may be a token's: only the name is shown. */
static void complain_of_option(const struct command *command, const char *text, const char *what)
{
    complain("%s: %.*s %s; see 'jtiguard %s --help'", command->name, (int)strcspn(text, "="), text,
             what, command->name);
}

/* What getopt stopped at. Of a bundle of letters that is one letter: the argument before it, where
 * getopt stands, may be the value of an option. */
static void complain_of_argument(const struct command *command, char **argv, const char *what)
{
    const char letter[] = {'-', (char)optopt, '\0'};
    bool is_letter = optopt > 0 && optopt < FIRST_ROW_VALUE && optopt != 'h';
    complain_of_option(command, is_letter ? letter : argv[optind - 1], what);
}

static enum options_answer apply(const struct command *command, const struct option_row *row,
                                 const char *value, struct settings *settings)
{
    const char *wrong = option_value_read(row, value, settings);
    if (wrong == NULL)
        return OPTIONS_READ;
    complain("%s: --%s %s", command->name, row->name, wrong);
    return OPTIONS_WRONG;
}

enum options_answer options_read(const struct command *command, int argc, char **argv,
                                 struct settings *settings, int *first_operand)
{
    struct option list[ROW_COUNT + 2];
    (void)list_long_options(command, list);
    optind = 0; /* Begin anew, in glibc's way. */
    enum options_answer answer = OPTIONS_READ;
    while (answer == OPTIONS_READ) {
        int at = -1; /* in the list, of a long option */
        const char *text = NULL;
        int found = getopt_long(argc, argv, ":h", list, &at);
        if (found == -1)
            break;
        if (at >= 0 && !long_option_is_whole(argv, &list[at], &text)) {
            complain_of_option(command, text, "is no option of this command");
            return OPTIONS_WRONG;
        }
        if (found == 'h')
            return OPTIONS_HELP;
        if (found < FIRST_ROW_VALUE) {
            complain_of_argument(command, argv,
                                 found == ':' ? "wants a value" : "is no option of this command");
            return OPTIONS_WRONG;
        }
        answer = apply(command, &rows[found - FIRST_ROW_VALUE], optarg, settings);
    }
    *first_operand = optind;
    return answer;
}

void options_print(const struct command *command, FILE *out)
{
    (void)fprintf(out, "\nOptions:\n");
    for (int i = 0; i < ROW_COUNT; i++) {
        if ((rows[i].commands & command->bit) == 0)
            continue;
        char left[40];
        (void)snprintf(left, sizeof left, "--%s %s", rows[i].name,
                       rows[i].argument != NULL ? rows[i].argument : "");
        (void)fprintf(out, "  %-26s %s\n", left, rows[i].help);
    }
    (void)fprintf(out, "  %-26s %s\n", "-h, --help", "show this help");
}
