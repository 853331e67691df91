/* SPDX-License-Identifier: Apache-2.0 */
/* The tool on the store of a host: `--store host:`, `jtiguard host`, and the default. */
#include "cli/run_tool.h"
#include "support/asserts.h"
#include "support/host_folder.h"

#include <jansson.h>
#include <jtiguard/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TOKEN "--kind", "id_token", "--issuer", "https://id.example", "--audience", "api"
#define OWNER "000102030405060708090a0b0c0d0e0f"

enum { URI_BYTES = HOST_FOLDER_BYTES + 8, NOBODY = 65534 };

static struct host_folder folder;
static char uri[URI_BYTES];

static int make_folder(void **state)
{
    (void)state;
    host_folder_make(&folder);
    (void)snprintf(uri, sizeof uri, "host:%s", folder.store);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    host_folder_remove(&folder);
    return 0;
}

static void expect(int exit_code, const char *text, const char *const *args)
{
    struct tool_run run;
    run_tool(&run, args, "");
    if (run.exit_code != exit_code)
        fail_msg("%s %s: exit %d\n%s%s", args[0], args[1], run.exit_code, run.out, run.err);
    if (strstr(run.out, text) == NULL)
        assert_holds(run.err, text);
    tool_run_clear(&run);
}
#define EXPECT(exit_code, text, ...)                                                               \
    expect((exit_code), (text), (const char *const[]){__VA_ARGS__, NULL})

/* As an operator who knows that no token was used before. */
static void make_vouched_store(void)
{
    EXPECT(0, "made ", "host", "create", folder.store);
    EXPECT(0, "vouched: the store has kept everything\n", "vouch", "--store", uri, "--yes");
}

/* ---- tokens ---- */

static void remembers_between_processes(void **state)
{
    (void)state;
    make_vouched_store();
    EXPECT(0, "admitted", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--owner", OWNER,
           "--store", uri);
    EXPECT(1, "replayed", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--store", uri);
    EXPECT(1, "not_owner", "release", TOKEN, "--jti", "a", "--owner-from", "other", "--store", uri);
    EXPECT(0, "released", "release", TOKEN, "--jti", "a", "--owner", OWNER, "--store", uri);
    EXPECT(0, "admitted", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--store", uri);
    EXPECT(0, "jtg:", "key", TOKEN, "--jti", "a", "--store", uri);
}

/* Named, it remembers what an audit has seen. */
static void checks_lines_on_it(void **state)
{
    (void)state;
    struct tool_run run;
    char line[160];
    (void)snprintf(line, sizeof line, "{\"iss\":\"i\",\"aud\":\"a\",\"jti\":\"1\",\"exp\":%lld}\n",
                   (long long)time(NULL) + 300);
    make_vouched_store();
    RUN(&run, line, "check", "--store", uri);
    assert_holds(run.out, "line 1: admitted");
    assert_int_equal(run.err_len, 0);
    tool_run_clear(&run);
    RUN(&run, line, "check", "--store", uri);
    assert_holds(run.out, "line 1: replayed");
    tool_run_clear(&run);
}

/* A new one may have been used by those whom it cannot know. */
static void a_new_store_refuses_what_may_have_been_used(void **state)
{
    (void)state;
    EXPECT(3, "continuity_lost", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--store", uri);
    EXPECT(3, "'jtiguard vouch' says so", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--store",
           uri);
}

static const char *minutes_ago(int minutes)
{
    static char text[32];
    struct tm tm;
    time_t then = time(NULL) - 60 * (time_t)minutes;
    assert_non_null(gmtime_r(&then, &tm));
    assert_int_not_equal(strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm), 0);
    return text;
}

/* By --ttl alone it may have been used a day ago. */
static void a_lifetime_that_is_stated_shortens_the_refusal(void **state)
{
    (void)state;
    EXPECT(3, "continuity_lost", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--lifetime", "5m",
           "--store", uri);
    EXPECT(0, "vouched", "vouch", "--store", uri, "--yes", "--since", minutes_ago(10));
    EXPECT(3, "continuity_lost", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--store", uri);
    EXPECT(0, "admitted", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--lifetime", "5m",
           "--store", uri);
    EXPECT(1, "replayed", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--lifetime", "5m",
           "--store", uri);
    EXPECT(0, "admitted", "reserve", TOKEN, "--jti", "b", "--lifetime", "5m", "--store", uri);
    EXPECT(1, "replayed", "reserve", TOKEN, "--jti", "b", "--lifetime", "5m", "--store", uri);
    EXPECT(4, "", "reserve", TOKEN, "--jti", "c", "--ttl", "1h", "--lifetime", "5m", "--store",
           uri);
}

/* One run issues, another admits, and no third does: each is a process of its own. */
static void opens_an_emergency_door_once(void **state)
{
    struct tool_run issued, used;
    char key_file[URI_BYTES];
    (void)state;
    (void)snprintf(key_file, sizeof key_file, "%s/key", folder.path);
    make_vouched_store();
    EXPECT(0, "", "breakglass", "key", "--key-file", key_file);
    RUN(&issued, "", "breakglass", "issue", "--key-file", key_file, "--uses", "1", "--store", uri);
    assert_int_equal(issued.exit_code, 0);
    for (int i = 0; i < 2; i++) {
        RUN(&used, issued.out, "breakglass", "check", "--key-file", key_file, "--store", uri);
        assert_int_equal(used.exit_code, i == 0 ? 0 : 1);
        tool_run_clear(&used);
    }
    tool_run_clear(&issued);
    EXPECT(2, "wants a store that outlives this process", "breakglass", "status", "--key-file",
           key_file, "--store", "memory");
}

static void keeps_ticket_keys(void **state)
{
    char kek_file[URI_BYTES];
    (void)state;
    (void)snprintf(kek_file, sizeof kek_file, "%s/kek", folder.path);
    FILE *file = fopen(kek_file, "w");
    assert_non_null(file);
    assert_true(fputs("0123456789abcdef0123456789abcdef", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(kek_file, 0600), 0);
    make_vouched_store();
    EXPECT(0, "", "ticket-keys", "refresh", "--kek-file", kek_file, "--store", uri);
    EXPECT(0, "values      1 of 1000", "host", "show", folder.store);
    EXPECT(1, "1 key", "ticket-keys", "status", "--kek-file", kek_file, "--store",
           uri); /* none seals yet */
}

static void bounds_its_values_as_it_was_made(void **state)
{
    (void)state;
    EXPECT(0, "for 1000000 entries and 7 values", "host", "create", folder.store, "--max-values",
           "7", "--max-value-bytes", "9000");
    EXPECT(0, "values      0 of 7, 0 bytes of 9000", "host", "show", folder.store);
    EXPECT(0, "\"max_values\":7,\"value_bytes\":0,\"max_value_bytes\":9000", "host", "show",
           folder.store, "--json");
    EXPECT(2, "go with create only", "host", "show", folder.store, "--max-values", "7");
}

static void refuses_what_does_not_go_together(void **state)
{
    (void)state;
    EXPECT(2, "--now goes with --store memory only", "reserve", TOKEN, "--jti", "a", "--store", uri,
           "--now", "2026-11-20T12:00:00Z");
    EXPECT(2, "an absolute one: host:/PATH", "reserve", TOKEN, "--jti", "a", "--store",
           "host:store");
    EXPECT(2, "an absolute one: host:/PATH", "reserve", TOKEN, "--jti", "a", "--store",
           "host://store");
    EXPECT(2, "not of this host", "host", "show", "--store", "memory");
    EXPECT(2, "wants an absolute PATH", "host", "show", "store");
    EXPECT(2, "takes create, show, lost or resize", "host", "burn");
    EXPECT(2, "takes create, show, lost or resize", "host");
    EXPECT(2, "takes create, show, lost or resize", "host", "show", "/a", "/b");
    EXPECT(2, "goes with create and resize", "host", "show", folder.store, "--max-entries", "3");
    EXPECT(2, "go with create only", "host", "resize", folder.store, "--issuer-share", "3");
    EXPECT(2, "wants --max-entries", "host", "resize", folder.store);
    EXPECT(2, "no user", "host", "create", folder.store, "--owner", "nobody of that name");
    EXPECT(2, "no group", "host", "create", folder.store, "--group", "nobody of that name");
}

/* ---- create, show, lost ---- */

static void makes_it_once(void **state)
{
    (void)state;
    struct stat about;
    EXPECT(3, "there is none at", "host", "show", folder.store);
    EXPECT(0, "made host:", "host", "create", folder.store, "--max-entries", "100",
           "--issuer-share", "10");
    assert_int_equal(stat(folder.store, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    EXPECT(0, "there already: host:", "host", "create", folder.store);
    EXPECT(0, "was made for 100 entries and a share of 10", "host", "create", folder.store,
           "--max-entries", "5000");
    EXPECT(0, "it was made without a group", "host", "create", folder.store, "--group", "0");
    EXPECT(0, "entries     0 of 100\n", "host", "show", folder.store);
    EXPECT(3, "note: the host store was made for 100 entries", "reserve", TOKEN, "--jti", "a",
           "--ttl", "5m", "--store", uri, "--max-entries", "7");
}

static void a_group_may_use_it(void **state)
{
    (void)state;
    struct stat about;
    char number[16];
    (void)snprintf(number, sizeof number, "%u", (unsigned)getegid());
    EXPECT(0, "mode 0660", "host", "create", folder.store, "--group", number);
    assert_int_equal(stat(folder.store, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0660);
    assert_int_equal(about.st_gid, getegid());
}

static json_t *show_as_json(void)
{
    struct tool_run run;
    RUN(&run, "", "host", "show", "--json", folder.store);
    assert_int_equal(run.exit_code, 0);
    json_t *answer = json_loads(run.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer);
    tool_run_clear(&run);
    return answer;
}

static json_int_t number_of(const json_t *answer, const char *name)
{
    const json_t *value = json_object_get(answer, name);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

/* With who uses it, but for the one who asks. */
static void shows_it(void **state)
{
    (void)state;
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    make_vouched_store();
    options.path = folder.store;
    assert_int_equal(jtg_host_new(&cache, &options, NULL), JTG_OK);
    json_t *answer = show_as_json();
    assert_string_equal(json_string_value(json_object_get(answer, "path")), folder.store);
    assert_string_equal(json_string_value(json_object_get(answer, "mode")), "0600");
    assert_int_equal(number_of(answer, "entries"), 0);
    assert_int_equal(number_of(answer, "max_entries"), JTG_HOST_MAX_ENTRIES_DEFAULT);
    assert_int_equal(number_of(answer, "kept_since_ms"), 0);
    assert_int_equal(number_of(answer, "repairs"), 0);
    const json_t *processes = json_object_get(answer, "processes");
    assert_int_equal(json_array_size(processes), 1);
    assert_int_equal(number_of(json_array_get(processes, 0), "pid"), getpid());
    json_decref(answer);
    jtg_cache_free(cache);
    EXPECT(0, "processes   none\n", "host", "show", "--store", uri);
    EXPECT(0, "kept since  ever\n", "host", "show", "--store", uri);
}

static void what_was_lost_counts_no_more(void **state)
{
    (void)state;
    make_vouched_store();
    EXPECT(2, "counts no more", "host", "lost", folder.store);
    EXPECT(0, "admitted", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--store", uri);
    EXPECT(0, "lost: what was remembered before 2", "host", "lost", "--yes", folder.store);
    EXPECT(3, "continuity_lost", "reserve", TOKEN, "--jti", "b", "--ttl", "5m", "--store", uri);
    EXPECT(0, "vouched: the store has kept everything since 2025-01-01T00:00:00Z\n", "vouch",
           "--store", uri, "--yes", "--since", "2025-01-01T00:00:00Z");
    EXPECT(2, "'jtiguard host lost' says so", "vouch", "--store", uri, "--yes", "--since",
           "2025-06-01T00:00:00Z");
    EXPECT(2, "future", "vouch", "--store", uri, "--yes", "--since", "2099-01-01T00:00:00Z");
    EXPECT(1, "replayed", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--store", uri);
}

static void another_size_loses_nothing(void **state)
{
    char larger[160];
    (void)state;
    make_vouched_store();
    EXPECT(0, "admitted", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--store", uri);
    (void)snprintf(larger, sizeof larger,
                   "resized: %s is for 2000000 entries, and was for 1000000; all that it held",
                   uri);
    EXPECT(0, larger, "host", "resize", "--max-entries", "2000000", folder.store);
    EXPECT(1, "replayed", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--store", uri);
    EXPECT(0, "{\"resized\":true,\"max_entries\":20,\"before\":2000000}\n", "host", "resize",
           "--json", "--max-entries", "20", "--store", uri);
    EXPECT(1, "replayed", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--store", uri);
    EXPECT(0, "admitted", "reserve", TOKEN, "--jti", "b", "--ttl", "5m", "--store", uri);
    EXPECT(3, "would not fit into that size", "host", "resize", "--max-entries", "1", folder.store);
    EXPECT(0, "kept since  ever\n", "host", "show", "--store", uri);
}

static void what_is_not_there_is_not_made_by_looking(void **state)
{
    (void)state;
    EXPECT(3, "there is none at", "host", "show", "--store", uri);
    EXPECT(3, "there is none at", "host", "lost", "--yes", "--store", uri);
    EXPECT(3, "there is none at", "host", "resize", "--max-entries", "9", "--store", uri);
    EXPECT(0, "there is none at", "doctor", "--store", uri);
    EXPECT(3, "the first command or service makes it", "doctor", "--strict", "--store", uri);
    EXPECT(3, "there is none at", "host", "show", "--store", uri);
}

/* As one of another version left it, whose process has ended. */
static void looking_replaces_nothing(void **state)
{
    struct stat before, after;
    (void)state;
    EXPECT(0, "made ", "host", "create", folder.store);
    FILE *file = fopen(folder.store, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 8, SEEK_SET), 0);
    assert_int_equal(fputc(99, file), 99);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(stat(folder.store, &before), 0);
    EXPECT(3, "there is none at", "host", "show", "--store", uri);
    EXPECT(3, "of another version", "host", "lost", "--yes", "--store", uri);
    EXPECT(0, "there is none at", "doctor", "--store", uri);
    assert_int_equal(stat(folder.store, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    EXPECT(0, "made ", "host", "create", folder.store);
    EXPECT(0, "entries     0 of 1000000", "host", "show", "--store", uri);
}

static void the_doctor_knows_it(void **state)
{
    (void)state;
    EXPECT(0, "made", "host", "create", folder.store, "--max-entries", "1000");
    EXPECT(0, "verdict: warning\n", "doctor", "--store", uri);
    EXPECT(0, "0 of 1000, ended ones included", "doctor", "--store", uri);
    EXPECT(3, "\"store\":\"host\"", "doctor", "--json", "--strict", "--store", uri); /* young */
    EXPECT(0, "vouched", "vouch", "--yes", "--store", uri);
    EXPECT(0, "verdict: ok\n", "doctor", "--strict", "--store", uri);
    assert_int_equal(chmod(folder.store, 0604), 0);
    EXPECT(3, "chmod o= on it", "doctor", "--store", uri);
}

static void what_is_held_is_a_replay_whatever_was_lost(void **state)
{
    (void)state;
    make_vouched_store();
    EXPECT(0, "admitted", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--store", uri);
    EXPECT(0, "lost", "host", "lost", "--yes", "--store", uri);
    EXPECT(1, "replayed", "reserve", TOKEN, "--jti", "a", "--ttl", "5m", "--store", uri);
}

/* ---- who says what to do ---- */

static void says_what_to_do_where_it_cannot_be_had(void **state)
{
    (void)state;
    char elsewhere[URI_BYTES + 16];
    (void)snprintf(elsewhere, sizeof elsewhere, "host:%s/none/store", folder.path);
    EXPECT(3, "'jtiguard host create' runs at boot", "reserve", TOKEN, "--jti", "a", "--ttl", "5m",
           "--store", elsewhere);
    EXPECT(3, "is not on a tmpfs", "host", "create", "/proc/store");
    assert_int_equal(chmod(folder.path, 0777), 0);
    EXPECT(3, "everybody may change the folder", "reserve", TOKEN, "--jti", "a", "--ttl", "5m",
           "--store", uri);
    EXPECT(3, "doctor --store host:PATH' says what to do", "reserve", TOKEN, "--jti", "a", "--ttl",
           "5m", "--store", uri);
}

/* Run by a shell, with what it needs as its arguments: $0 is the tool. false: not possible here. */
static bool run_script(struct tool_run *run, const char *script, const char *more)
{
    char line[2048];
    (void)snprintf(line, sizeof line, "%s", script);
    const char *const args[] = {"-c", line, tool_path(), more, NULL};
    run_program(run, "/bin/sh", args, "", 0);
    if (strstr(run->err, "cannot be done here") == NULL)
        return true;
    tool_run_clear(run);
    return false;
}

#define RESERVE "\"$0\" reserve --kind id_token --issuer i --audience a --jti j --ttl 5m"

static void another_user_is_told_about_groups(void **state)
{
    (void)state;
    struct tool_run run;
    static const char script[] =
        "setpriv --reuid 65534 --regid 65534 --clear-groups \"$0\" version >/dev/null 2>&1 || "
        "{ echo cannot be done here >&2; exit 0; }\n"
        "exec setpriv --reuid 65534 --regid 65534 --clear-groups " RESERVE " --store \"$1\"\n";
    EXPECT(0, "made", "host", "create", folder.store);
    assert_int_equal(chmod(folder.path, 0755), 0);
    if (!run_script(&run, script, uri))
        skip();
    assert_int_equal(run.exit_code, 3);
    assert_holds(run.err, "Permission denied");
    assert_holds(run.err, "'jtiguard host create --group GROUP'");
    tool_run_clear(&run);
}

static void members_of_a_group_share_it(void **state)
{
    (void)state;
    struct tool_run run;
    static const char script[] =
        "member='setpriv --reuid 65533 --regid 65533 --groups 65534'\n"
        "$member \"$0\" version >/dev/null 2>&1 || { echo cannot be done here >&2; exit 0; }\n"
        "\"$0\" host create --group 65534 \"${1#host:}\" && \"$0\" vouch --yes --store \"$1\" && "
        "$member " RESERVE " --store \"$1\" && " RESERVE " --store \"$1\"\n";
    assert_int_equal(chmod(folder.path, 0755), 0);
    if (!run_script(&run, script, uri))
        skip();
    assert_holds(run.out, "mode 0660");
    assert_holds(run.out, "\nadmitted\n");
    assert_holds(run.out, "\nreplayed (the token was used before)\n");
    assert_int_equal(run.exit_code, 1);
    tool_run_clear(&run);
}

/* ---- where nobody names one ---- */

/* A machine whose /run is of this script, and nobody has set anything. */
#define MACHINE                                                                                    \
    "unset JTIGUARD_STORE\n"                                                                       \
    "if [ -z \"$INSIDE\" ]; then\n"                                                                \
    "  unshare -rm true 2>/dev/null || { echo cannot be done here >&2; exit 0; }\n"                \
    "  INSIDE=1 exec unshare -rm /bin/sh -c \"$1\" \"$0\" \"$1\"\n"                                \
    "fi\n"

/* The script is its own argument, for it runs itself once more inside. */
static void on_a_machine(struct tool_run *run, const char *script)
{
    if (!run_script(run, script, script))
        skip();
}

static void nothing_configured_is_the_hosts_store(void **state)
{
    (void)state;
    struct tool_run run;
    on_a_machine(&run, MACHINE "mount -t tmpfs none /run && \"$0\" vouch --yes && " RESERVE
                               " && " RESERVE);
    assert_holds(run.out, "vouched: the store has kept everything\nadmitted\nowner ");
    assert_holds(run.out, "\nreplayed (the token was used before)\n");
    assert_int_equal(run.exit_code, 1);
    assert_holds(run.err, "reserve: note: the store is host:/run/jtiguard-host/store\n");
    tool_run_clear(&run);
}

static void where_there_is_no_place_it_is_memory(void **state)
{
    (void)state;
    struct tool_run run;
    on_a_machine(&run, MACHINE "mount --rbind /proc /run && " RESERVE " && " RESERVE);
    assert_int_equal(occurrences(run.out, "admitted\n"), 2);
    assert_int_equal(occurrences(run.err, "there is no place for a host store"), 2);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

/* Two stores would admit a token twice: nobody goes elsewhere because he may not use this one. */
static void a_store_that_cannot_be_used_is_not_gone_around(void **state)
{
    (void)state;
    struct tool_run run;
    on_a_machine(&run, MACHINE "mount -t tmpfs none /run && mkdir /run/jtiguard-host && "
                               "chmod 777 /run/jtiguard-host && " RESERVE);
    assert_holds(run.err, "everybody may change the folder");
    assert_int_equal(run.out_len, 0);
    assert_int_equal(run.exit_code, 3);
    tool_run_clear(&run);
}

static void a_tmpfs_without_room_is_told(void **state)
{
    (void)state;
    struct tool_run run;
    on_a_machine(&run, MACHINE "mount -t tmpfs -o size=1m none /run && " RESERVE);
    assert_holds(run.err, "no room for");
    assert_holds(run.err, "31 bytes an entry: name a smaller --max-entries");
    assert_int_equal(run.exit_code, 3);
    tool_run_clear(&run);
}

static void an_audit_begins_empty(void **state)
{
    (void)state;
    struct tool_run run;
    on_a_machine(&run, MACHINE "mount -t tmpfs none /run && \"$0\" check </dev/null; ls /run; "
                               "\"$0\" doctor; " RESERVE " --now 2026-11-20T12:00:00Z");
    assert_holds(run.err, "check: note: the memory store begins and ends with this process");
    assert_holds(run.out, "store: host\n");
    assert_holds(run.out, "there is none at /run/jtiguard-host/store");
    assert_holds(run.err, "reserve: note: the memory store begins and ends with this process");
    tool_run_clear(&run);
}

#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    (void)setenv("LC_ALL", "C", 1);
    const struct CMUnitTest tests[] = {
        TEST_OF(remembers_between_processes),
        TEST_OF(checks_lines_on_it),
        TEST_OF(a_new_store_refuses_what_may_have_been_used),
        TEST_OF(a_lifetime_that_is_stated_shortens_the_refusal),
        TEST_OF(opens_an_emergency_door_once),
        TEST_OF(keeps_ticket_keys),
        TEST_OF(bounds_its_values_as_it_was_made),
        TEST_OF(refuses_what_does_not_go_together),
        TEST_OF(makes_it_once),
        TEST_OF(a_group_may_use_it),
        TEST_OF(shows_it),
        TEST_OF(what_was_lost_counts_no_more),
        TEST_OF(another_size_loses_nothing),
        TEST_OF(what_is_not_there_is_not_made_by_looking),
        TEST_OF(looking_replaces_nothing),
        TEST_OF(the_doctor_knows_it),
        TEST_OF(what_is_held_is_a_replay_whatever_was_lost),
        TEST_OF(says_what_to_do_where_it_cannot_be_had),
        TEST_OF(another_user_is_told_about_groups),
        TEST_OF(members_of_a_group_share_it),
        cmocka_unit_test(nothing_configured_is_the_hosts_store),
        cmocka_unit_test(where_there_is_no_place_it_is_memory),
        cmocka_unit_test(a_store_that_cannot_be_used_is_not_gone_around),
        cmocka_unit_test(a_tmpfs_without_room_is_told),
        cmocka_unit_test(an_audit_begins_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
