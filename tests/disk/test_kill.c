/* SPDX-License-Identifier: Apache-2.0 */
/* A process is killed before and after every system call of a put, a save, a take and a purge.
 * Whatever it had done, the file is whole, as it was or as it was to become, and for its owner
 * alone; what was handed out stays used up; and the next process is not held up. */
#include "support/asserts.h"
#include "support/tls_cache.h"

#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS_LEAST = 30, STEPS_MOST = 2000, SYSCALL_STOP = SIGTRAP | 0x80 };

static struct tls_cache cache;
static _Atomic uint32_t *handed_out; /* by the child; shared */

/* One step of a process's life: it is given a file with tickets 1 (host a) and 2 (host b). */
struct deed {
    const char *name;
    bool (*act)(jtg_tls_tickets *tickets);
    void (*judge)(jtg_tls_tickets *tickets);
    bool is_late; /* without write_through */
};

/* ---- the deeds ---- */

static bool act_put(jtg_tls_tickets *tickets)
{
    return tls_cache_put(tickets, "a", 3, NULL) == JTG_OK;
}

static bool act_save(jtg_tls_tickets *tickets)
{
    return tls_cache_put(tickets, "a", 3, NULL) == JTG_OK &&
           tls_cache_put(tickets, "c", 4, NULL) == JTG_OK &&
           jtg_tls_tickets_save(tickets, NULL) == JTG_OK;
}

static bool act_take(jtg_tls_tickets *tickets)
{
    uint32_t number = 0;
    if (tls_cache_take(tickets, "a", &number) != JTG_OK)
        return false;
    atomic_store(handed_out, number);
    return true;
}

static bool act_purge(jtg_tls_tickets *tickets)
{
    jtg_endpoint endpoint = tls_cache_endpoint("a");
    unsigned char pin[JTG_TLS_PIN_BYTES] = {1};
    return jtg_tls_tickets_pin_seen(tickets, &endpoint, pin, NULL) == JTG_OK;
}

/* ---- what must hold afterwards ---- */

static uint32_t take_from(jtg_tls_tickets *tickets, const char *host)
{
    uint32_t number = UINT32_MAX;
    jtg_status status = tls_cache_take(tickets, host, &number);
    assert_true(status == JTG_OK || status == JTG_NOT_FOUND);
    return status == JTG_OK ? number : 0;
}

static void judge_put(jtg_tls_tickets *tickets)
{
    uint32_t first = take_from(tickets, "a");
    assert_true(first == 3 || first == 1);
    assert_int_equal(take_from(tickets, "a"), first == 3 ? 1 : 0);
    assert_int_equal(take_from(tickets, "a"), 0);
}

static void judge_save(jtg_tls_tickets *tickets)
{
    uint32_t first = take_from(tickets, "a");
    assert_true(first == 3 || first == 1);
    assert_int_equal(take_from(tickets, "c"), first == 3 ? 4 : 0); /* all of it or nothing */
    assert_int_equal(take_from(tickets, "a"), first == 3 ? 1 : 0);
}

static void judge_take(jtg_tls_tickets *tickets)
{
    jtg_tls_fate fate = JTG_TLS_NOT_STORED;
    uint32_t theirs = atomic_load(handed_out);
    uint32_t ours = take_from(tickets, "a");
    assert_true(ours == 0 || (ours == 1 && theirs == 0));
    assert_status(tls_cache_put(tickets, "a", 1, &fate), JTG_OK);
    assert_int_equal(fate, JTG_TLS_DUPLICATE);
    assert_int_equal(take_from(tickets, "a"), 0);
}

static void judge_purge(jtg_tls_tickets *tickets)
{
    jtg_tls_tickets_state state = JTG_TLS_TICKETS_STATE_INIT;
    assert_status(jtg_tls_tickets_load(tickets, &state, NULL), JTG_OK);
    assert_int_equal(take_from(tickets, "a"), state.pins == 1 ? 0 : 1);
}

static void assert_private(void)
{
    char path[512];
    struct stat about;
    unsigned count = 0;
    DIR *folder = opendir(cache.folder);
    assert_non_null(folder);
    for (const struct dirent *at = NULL; (at = readdir(folder)) != NULL;) {
        if (at->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", cache.folder, at->d_name);
        assert_int_equal(lstat(path, &about), 0);
        assert_int_equal(about.st_mode & 07777, 0600);
        count++;
    }
    (void)closedir(folder);
    assert_in_range(count, 2, 3); /* the file, the lock, and maybe what was being written */
}

static void assert_whole(jtg_tls_tickets *tickets)
{
    jtg_tls_tickets_state state = JTG_TLS_TICKETS_STATE_INIT;
    assert_status(jtg_tls_tickets_load(tickets, &state, NULL), JTG_OK);
    assert_int_equal(state.is_corrupt, 0);
    assert_int_equal(state.unreadable, 0);
    assert_in_range(state.tickets, 1, 4);
}

/* ---- killing ---- */

static void prepare(const struct deed *deed)
{
    cache.options.write_through = 1;
    atomic_store(handed_out, 0);
    jtg_tls_tickets *tickets = tls_cache_open(&cache);
    assert_non_null(tickets);
    assert_status(tls_cache_put(tickets, "a", 1, NULL), JTG_OK);
    assert_status(tls_cache_put(tickets, "b", 2, NULL), JTG_OK);
    jtg_tls_tickets_free(tickets);
    cache.options.write_through = !deed->is_late;
}

static void live(const struct deed *deed)
{
    jtg_tls_tickets *tickets = tls_cache_open(&cache);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || tickets == NULL)
        _exit(2);
    (void)raise(SIGSTOP);
    _exit(deed->act(tickets) ? 0 : 1);
}

/* Let the child go on to its next stop at a system call. False if it has ended instead. */
static bool next_stop(pid_t child, int *status)
{
    assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
    assert_int_equal(waitpid(child, status, 0), child);
    return WIFSTOPPED(*status) && WSTOPSIG(*status) == SYSCALL_STOP;
}

/* Kill it at the n-th stop. False if it ended before. */
static bool run_and_kill(const struct deed *deed, unsigned n)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        live(deed);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    assert_int_equal(
        ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
    for (unsigned i = 0; i < n; i++)
        if (!next_stop(child, &status)) {
            assert_true(WIFEXITED(status));
            assert_int_equal(WEXITSTATUS(status), 0);
            return false;
        }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return true;
}

static void after(const struct deed *deed)
{
    cache.options.write_through = 1;
    assert_private();
    jtg_tls_tickets *tickets = tls_cache_open(&cache);
    assert_non_null(tickets);
    assert_whole(tickets);
    deed->judge(tickets);
    assert_int_equal(take_from(tickets, "b"), 2); /* of a save that was completed before */
    assert_status(tls_cache_put(tickets, "d", 9, NULL), JTG_OK);
    assert_int_equal(take_from(tickets, "d"), 9);
    jtg_tls_tickets_free(tickets);
}

static void kill_everywhere(const struct deed *deed)
{
    bool was_killed = true;
    unsigned n = 0;
    while (was_killed) {
        assert_in_range(++n, 1, STEPS_MOST);
        assert_true(tls_cache_set_up(&cache));
        prepare(deed);
        was_killed = run_and_kill(deed, n);
        after(deed);
        (void)tls_cache_tear_down(&cache);
    }
    print_message("%s: killed at %u stops\n", deed->name, n - 1);
    assert_true(n > STEPS_LEAST);
}

static void at_every_call_of_a_put(void **state)
{
    (void)state;
    static const struct deed deed = {"put", act_put, judge_put, false};
    kill_everywhere(&deed);
}

static void at_every_call_of_a_save(void **state)
{
    (void)state;
    static const struct deed deed = {"save", act_save, judge_save, true};
    kill_everywhere(&deed);
}

static void at_every_call_of_a_take(void **state)
{
    (void)state;
    static const struct deed deed = {"take", act_take, judge_take, false};
    kill_everywhere(&deed);
}

static void at_every_call_of_a_purge(void **state)
{
    (void)state;
    static const struct deed deed = {"purge", act_purge, judge_purge, false};
    kill_everywhere(&deed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_every_call_of_a_put),
        cmocka_unit_test(at_every_call_of_a_save),
        cmocka_unit_test(at_every_call_of_a_take),
        cmocka_unit_test(at_every_call_of_a_purge),
    };
    handed_out =
        mmap(NULL, sizeof *handed_out, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (handed_out == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests_name("killed at every system call", tests, NULL, NULL);
}
