/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/resp/error_table.h"
#include "redis/say/resp/scripts.h"
#include "support/asserts.h"

#include <ctype.h>
#include <jtiguard/redis.h>
#include <stdio.h>
#include <string.h>

static const struct jtgi_error_row *row_of(const char *text)
{
    return jtgi_error_row_of(text, strlen(text));
}

static void every_row_is_found_by_its_beginning(void **state)
{
    const struct jtgi_error_row *row = NULL;
    char text[128];
    (void)state;
    for (size_t i = 0; (row = jtgi_error_row_at(i)) != NULL; i++) {
        (void)snprintf(text, sizeof text, "%sand what follows", row->prefix);
        assert_ptr_equal(row_of(text), row);
    }
}

/* As servers send them. */
static void the_servers_own_words_are_known(void **state)
{
    static const struct {
        const char *text;
        const char *name;
        jtg_status status;
    } words[] = {
        {"READONLY You can't write against a read only replica.", "READONLY", JTG_ERR_UNAVAILABLE},
        {"LOADING Redis is loading the dataset in memory", "LOADING", JTG_ERR_UNAVAILABLE},
        {"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
         "BUSY", JTG_ERR_UNAVAILABLE},
        {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
         "MASTERDOWN", JTG_ERR_UNAVAILABLE},
        {"NOREPLICAS Not enough good replicas to write.", "NOREPLICAS", JTG_ERR_REFUSED},
        {"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist",
         "MISCONF", JTG_ERR_REFUSED},
        {"OOM command not allowed when used memory > 'maxmemory'.", "OOM", JTG_ERR_FULL},
        {"CLUSTERDOWN Hash slot not served", "CLUSTERDOWN", JTG_ERR_UNAVAILABLE},
        {"TRYAGAIN Multiple keys request during rehashing of slot", "TRYAGAIN",
         JTG_ERR_UNAVAILABLE},
        {"MOVED 3999 127.0.0.1:6381", "MOVED", JTG_ERR_UNAVAILABLE},
        {"ASK 3999 127.0.0.1:6381", "ASK", JTG_ERR_UNAVAILABLE},
        {"CROSSSLOT Keys in request don't hash to the same slot", "CROSSSLOT", JTG_ERR_REFUSED},
        {"NOAUTH Authentication required.", "NOAUTH", JTG_ERR_REFUSED},
        {"WRONGPASS invalid username-password pair or user is disabled.", "WRONGPASS",
         JTG_ERR_REFUSED},
        {"NOPERM this user has no permissions to run the 'set' command", "NOPERM", JTG_ERR_REFUSED},
        {"DENIED Redis is running in protected mode because protected mode is enabled", "DENIED",
         JTG_ERR_REFUSED},
        {"ERR max number of clients reached", "max clients", JTG_ERR_UNAVAILABLE},
        {"ERR max number of clients + cluster connections reached", "max clients",
         JTG_ERR_UNAVAILABLE},
        {"WRONGTYPE Operation against a key holding the wrong kind of value", "WRONGTYPE",
         JTG_ERR_REFUSED},
        {"NOSCRIPT No matching script. Please use EVAL.", "NOSCRIPT", JTG_ERR_REFUSED},
        {"ERR unknown command 'SETT', with args beginning with: 'k' ", "unknown command",
         JTG_ERR_REFUSED},
        {"ERR unknown command `SETT`, with args beginning with: `k`, ", "unknown command",
         JTG_ERR_REFUSED}, /* Redis 6.2 */
        {"ERR unknown subcommand 'slotz'. Try CLUSTER HELP.", "unknown subcommand",
         JTG_ERR_REFUSED},
        {"ERR Unknown Redis command called from script script: 832d, on @user_script:1.",
         "unknown to a script", JTG_ERR_REFUSED},
        {"ERR Unknown command called from script script: on @user_script:1.", "the same, Valkey",
         JTG_ERR_REFUSED}, /* 9.1 */
        {"ERR ACL failure in script: No permissions to access a key script: on @user_script:1.",
         "denied to a script", JTG_ERR_REFUSED},
        {"ERR The user executing the script can't run this command or subcommand script: beef",
         "the same, Redis 7.0", JTG_ERR_REFUSED},
        {"ERR AUTH <password> called without any password configured for the default user. Are you "
         "sure your configuration is correct?",
         "no password", JTG_ERR_REFUSED},
        {"ERR Client sent AUTH, but no password is set", "the same, proxies", JTG_ERR_REFUSED},
        {"ERR DB index is out of range", "database", JTG_ERR_REFUSED},
        {"ERR unknown", "unknown", JTG_ERR_REFUSED},
        {"READONLYISH", "unknown", JTG_ERR_REFUSED},
        {"ASKING", "unknown", JTG_ERR_REFUSED},
        {"", "unknown", JTG_ERR_REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_string_equal(row_of(words[i].text)->name, words[i].name);
        assert_status(row_of(words[i].text)->status, words[i].status);
    }
}

/* What is done next, and whether the connection stays, decides whether a promoted replica is found
 * and whether a full server is asked twice: said here apart from the table and from the manual,
 * which is made to say what the table says. */
static void each_error_has_its_consequence(void **state)
{
    static const struct {
        const char *text;
        enum jtgi_error_next next;
        bool healthy;
        enum jtgi_error_class class;
    } words[] = {
        {"READONLY x", JTGI_NEXT_REROUTE, false, JTGI_CLASS_ROLE},
        {"LOADING x", JTGI_NEXT_STOP, false, JTGI_CLASS_BUSY},
        {"BUSY x", JTGI_NEXT_STOP, true, JTGI_CLASS_BUSY},
        {"MASTERDOWN x", JTGI_NEXT_REROUTE, false, JTGI_CLASS_ROLE},
        {"NOREPLICAS x", JTGI_NEXT_STOP, true, JTGI_CLASS_STATE},
        {"MISCONF x", JTGI_NEXT_STOP, true, JTGI_CLASS_STATE},
        {"OOM x", JTGI_NEXT_STOP, true, JTGI_CLASS_FULL},
        {"CLUSTERDOWN x", JTGI_NEXT_REROUTE, true, JTGI_CLASS_CLUSTER},
        {"TRYAGAIN x", JTGI_NEXT_PAUSE, true, JTGI_CLASS_CLUSTER},
        {"MOVED 1 a:1", JTGI_NEXT_MOVED, true, JTGI_CLASS_CLUSTER},
        {"ASK 1 a:1", JTGI_NEXT_ASK, true, JTGI_CLASS_CLUSTER},
        {"CROSSSLOT x", JTGI_NEXT_STOP, true, JTGI_CLASS_CLUSTER},
        {"NOAUTH x", JTGI_NEXT_STOP, false, JTGI_CLASS_ACCESS},
        {"WRONGPASS x", JTGI_NEXT_STOP, false, JTGI_CLASS_ACCESS},
        {"NOPERM x", JTGI_NEXT_STOP, true, JTGI_CLASS_ACCESS},
        {"DENIED x", JTGI_NEXT_STOP, false, JTGI_CLASS_ACCESS},
        {"ERR max number of clients reached", JTGI_NEXT_STOP, false, JTGI_CLASS_BUSY},
        {"WRONGTYPE x", JTGI_NEXT_STOP, true, JTGI_CLASS_FOREIGN},
        {"NOSCRIPT x", JTGI_NEXT_IN_FULL, true, JTGI_CLASS_SCRIPT},
        {"ERR unknown command 'x'", JTGI_NEXT_STOP, false, JTGI_CLASS_COMMAND},
        {"ERR unknown subcommand 'x'", JTGI_NEXT_STOP, false, JTGI_CLASS_COMMAND},
        {"ERR Unknown Redis command called from x", JTGI_NEXT_STOP, false, JTGI_CLASS_COMMAND},
        {"ERR Unknown command called from x", JTGI_NEXT_STOP, false, JTGI_CLASS_COMMAND},
        {"ERR ACL failure in script: x", JTGI_NEXT_STOP, true, JTGI_CLASS_ACCESS},
        {"ERR The user executing the script can't x", JTGI_NEXT_STOP, true, JTGI_CLASS_ACCESS},
        {"ERR AUTH <password> called without x", JTGI_NEXT_STOP, false, JTGI_CLASS_SETUP},
        {"ERR Client sent AUTH, but no password x", JTGI_NEXT_STOP, false, JTGI_CLASS_SETUP},
        {"ERR DB index is out of range", JTGI_NEXT_STOP, false, JTGI_CLASS_SETUP},
    };
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const struct jtgi_error_row *row = row_of(words[i].text);
        assert_int_equal(row->next, words[i].next);
        assert_int_equal(row->healthy, words[i].healthy);
        assert_int_equal(row->class, words[i].class);
    }
    const struct jtgi_error_row *unknown = row_of("ERR what nobody knows");
    assert_int_equal(unknown->next, JTGI_NEXT_STOP);
    assert_false(unknown->healthy);
}

/* Ours, or none: a name that is not ours may be a part of a key. */
static void a_command_is_named_if_it_is_ours(void **state)
{
    static const struct {
        const char *text;
        const char *command; /* NULL: none */
    } words[] = {
        {"ERR unknown command 'eval', with args beginning with: 'SET' 'k' ", "EVAL"},
        {"ERR unknown command `PING`, with args beginning with: `x`, ", "PING"},
        {"NOPERM this user has no permissions to run the 'set' command", "SET"},
        {"NOPERM User 'get' has no permissions to run the 'cluster|slots' command", "CLUSTER"},
        {"ERR ACL failure in script: User u has no permissions to run the 'pttl' command", "PTTL"},
        {"ERR unknown command 'secret', with args beginning with: ", NULL},
        {"NOPERM No permissions to access a key", NULL},
        {"ERR unknown command 'SET", "SET"},
        {"ERR unknown command '", NULL},
        {"ERR unknown command ", NULL},
        {"ERR unknown command SET", NULL},
        {"", NULL},
    };
    char told[JTGI_REFUSAL_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const char *command = jtgi_error_command_of(words[i].text, strlen(words[i].text));
        if (words[i].command == NULL)
            assert_null(command);
        else
            assert_string_equal(command, words[i].command);
    }
    jtgi_error_explain(row_of("ERR unknown command 'eval'"), "EVAL", told);
    assert_string_equal(told,
                        "the server does not know the command: renamed, or switched off (EVAL)");
}

/* How many names stand behind `before` in the text: each is told, in capitals. */
static size_t expect_each_named(const char *text, const char *before)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, before)) != NULL; count++) {
        char name[32] = "";
        char reply[64];
        at += strlen(before);
        for (size_t i = 0; isalpha((unsigned char)at[i]) && i < sizeof name - 1; i++)
            name[i] = (char)toupper((unsigned char)at[i]);
        (void)snprintf(reply, sizeof reply, "ERR unknown command '%s'", name);
        const char *command = jtgi_error_command_of(reply, strlen(reply));
        assert_string_equal(command == NULL ? "none" : command, name);
    }
    return count;
}

/* What the scripts run is read from their texts, and not from the list that is looked at. */
static void each_command_that_we_send_is_named(void **state)
{
    (void)state;
    for (enum jtgi_script script = JTGI_SCRIPT_HOLD; script < JTGI_SCRIPT_COUNT; script++)
        assert_true(expect_each_named(jtgi_script_text(script), "call('") > 0);
    assert_int_equal(expect_each_named(jtg_redis_acl_commands(), " +"), 25);
    assert_int_equal(expect_each_named("+auth +select +client +waitaof +sentinel", "+"), 5);
}

/* With the longest command. */
static void every_text_fits(void **state)
{
    const struct jtgi_error_row *row = NULL;
    char told[JTGI_REFUSAL_BYTES];
    (void)state;
    for (size_t i = 0; (row = jtgi_error_row_at(i)) != NULL; i++) {
        jtgi_error_explain(row, "ZRANGEBYSCORE", told);
        assert_non_null(strstr(told, " (ZRANGEBYSCORE)"));
    }
}

static void no_error_admits_or_is_a_replay(void **state)
{
    const struct jtgi_error_row *row = NULL;
    (void)state;
    for (size_t i = 0; (row = jtgi_error_row_at(i)) != NULL; i++)
        assert_true(row->status >= JTG_ERR_ARGUMENT);
}

/* Text that ends without NUL is not read beyond its end. */
static void a_text_is_as_long_as_it_says(void **state)
{
    static const char text[] = {'O', 'O', 'M', ' '};
    (void)state;
    assert_string_equal(jtgi_error_row_of(text, 4)->name, "OOM");
    assert_string_equal(jtgi_error_row_of(text, 3)->name, "unknown");
}

static void read_manual(char *manual, size_t size)
{
    FILE *file = fopen(JTIGUARD_DOCS "/redis.md", "r");
    assert_non_null(file);
    size_t len = fread(manual, 1, size - 1, file);
    assert_true(feof(file));
    manual[len] = '\0';
    (void)fclose(file);
}

/* docs/redis.md shows the table row by row, and has no row more. */
static void the_manual_shows_this_table(void **state)
{
    static char manual[65536];
    const struct jtgi_error_row *row = NULL;
    char line[256];
    (void)state;
    read_manual(manual, sizeof manual);
    const char *at = strstr(manual, "| error reply |");
    assert_non_null(at);
    at = strchr(strchr(at, '\n') + 1, '\n') + 1;
    for (size_t i = 0; (row = jtgi_error_row_at(i)) != NULL; i++) {
        int len =
            snprintf(line, sizeof line, "| %s | %s | %s | %s | `%s` | %s |\n", row->name,
                     jtgi_error_class_name(row->class), jtgi_error_next_name(row->next),
                     row->healthy ? "kept" : "closed", jtg_status_name(row->status), row->text);
        if (strncmp(at, line, (size_t)len) != 0)
            fail_msg("docs/redis.md lacks: %s", line);
        at += len;
    }
    assert_true(*at != '|');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_by_its_beginning),
        cmocka_unit_test(the_servers_own_words_are_known),
        cmocka_unit_test(each_error_has_its_consequence),
        cmocka_unit_test(a_command_is_named_if_it_is_ours),
        cmocka_unit_test(each_command_that_we_send_is_named),
        cmocka_unit_test(every_text_fits),
        cmocka_unit_test(no_error_admits_or_is_a_replay),
        cmocka_unit_test(a_text_is_as_long_as_it_says),
        cmocka_unit_test(the_manual_shows_this_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
