/* SPDX-License-Identifier: Apache-2.0 */
/* What is believed of a file that took the place of another, when whoever made it has died. */
#include "host/heir.h"

#include "host/since.h"
#include "support/asserts.h"
#include "support/host_store.h"
#include "table/transfer.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char other_name[80];
static int64_t since_ms; /* of the old one: by the monotonic clock */

static struct jtgi_host_attachment *attached(void)
{
    struct jtgi_host_attachment *at = NULL;
    const struct jtgi_host_terms terms = {.max_entries = 5000,
                                          .max_values = 50,
                                          .max_value_bytes = 20000,
                                          .spot = {store.folder.store, (uid_t)-1, (gid_t)-1},
                                          .lock_wait_ms = HOST_STORE_LOCK_WAIT_MS,
                                          .clock = &store.clock};
    assert_status(jtgi_host_attach(&at, &terms, NULL), JTG_OK);
    return at;
}

static int64_t since_of(const struct jtgi_host_attachment *at)
{
    return atomic_load(&at->file.header->since_ms);
}

/* A store, and one of the same content that takes its place; then its maker dies. */
static struct jtgi_host_attachment *begin_heir(void)
{
    (void)snprintf(other_name, sizeof other_name, "%s" JTGI_HOST_OTHER_NAME, store.folder.store);
    struct jtgi_host_attachment *old = attached();
    test_clock_advance(&store.hands, 5000);
    since_ms = since_of(old);
    jtg_cache *cache = host_store_open();
    assert_status(jtg_host_resize(cache, 6000, NULL), JTG_OK);
    jtg_cache_free(cache);
    return old;
}

/* As it is between the exchange and the first who comes: what stands at the other name is said. */
static void doubt(uint64_t heir_of)
{
    struct jtgi_host_attachment *at = attached();
    struct jtgi_host_header *header = at->file.header;
    atomic_store(&header->heir_of, heir_of);
    header->named_ms = atomic_load(&store.hands.monotonic_ms);
    atomic_store(&header->is_doubted, 1);
    jtgi_host_detach(at, false);
}

static uint64_t make_other(void)
{
    struct stat about;
    FILE *file = fopen(other_name, "w");
    assert_non_null(file);
    (void)fclose(file);
    assert_int_equal(stat(other_name, &about), 0);
    return about.st_ino;
}

static void come_to_one_that_replaced(bool its_own, int64_t after_ms, bool kept)
{
    struct jtgi_host_attachment *old = begin_heir();
    uint64_t inode = make_other();
    doubt(its_own ? inode : inode + 1);
    test_clock_advance(&store.hands, after_ms);
    struct jtgi_host_attachment *heir = attached();
    assert_int_equal(atomic_load(&heir->file.header->is_doubted), 0);
    if (kept)
        assert_true(since_of(heir) == since_ms);
    else
        assert_true(since_of(heir) == atomic_load(&store.hands.monotonic_ms) + 1001);
    assert_int_equal(access(other_name, F_OK), its_own ? -1 : 0);
    jtgi_host_detach(heir, false);
    jtgi_host_detach(old, false);
}

static void one_that_is_seen_in_time_has_kept_all(void **state)
{
    (void)state;
    come_to_one_that_replaced(true, 1000, true);
}

static void one_that_is_seen_late_is_a_new_file(void **state)
{
    (void)state;
    come_to_one_that_replaced(true, 1001, false);
}

/* A third file stood at the path, and may have admitted what the heir does not know. */
static void one_that_replaced_another_is_a_new_file(void **state)
{
    (void)state;
    come_to_one_that_replaced(false, 0, false);
}

static void whose_heir_one_is_can_be_told(void **state)
{
    (void)state;
    struct jtgi_host_attachment *old = begin_heir();
    struct jtgi_host_attachment *heir = attached();
    assert_true(jtgi_host_heir_is_of(heir, old));
    assert_false(jtgi_host_heir_is_of(heir, heir));
    jtgi_host_detach(heir, false);
    jtgi_host_detach(old, false);
}

/* The exchange left the sign of a move: it is no move of the heir. A later one is. */
static void the_exchange_is_no_move(void **state)
{
    (void)state;
    struct jtgi_host_attachment *heir = attached();
    struct jtgi_host_header *header = heir->file.header;
    heir->file.moved_ns = 0;
    assert_false(jtgi_host_heir_was_moved(heir));
    heir->file.moved_ns = 17;
    assert_true(jtgi_host_heir_was_moved(heir));
    atomic_store(&header->is_doubted, 1);
    assert_false(jtgi_host_heir_was_moved(heir));
    atomic_store(&header->is_doubted, 0);
    assert_false(jtgi_host_heir_was_moved(heir)); /* who had seen it before it was judged */
    heir->file.moved_ns = 18;
    assert_true(jtgi_host_heir_was_moved(heir));
    jtgi_host_detach(heir, false);
}

static void mark(struct jtgi_host_attachment *at)
{
    atomic_store(&at->file.header->moving, 1);
    assert_true(jtgi_table_hold(at->table));
    jtgi_table_mark_locked(at->table, true);
    jtgi_table_let_go_locked(at->table);
}

static void marks_of_a_dead_one_are_taken_away(void **state)
{
    (void)state;
    struct jtgi_host_attachment *at = attached();
    mark(at);
    assert_true(jtgi_host_heir_unmark(at));
    assert_int_equal(atomic_load(&at->file.header->moving), 0);
    assert_true(jtgi_table_hold(at->table));
    jtgi_table_let_go_locked(at->table);
    jtgi_host_detach(at, false);
}

static void who_only_looks_takes_them_away(void **state)
{
    (void)state;
    jtg_cache *cache = host_store_open();
    struct jtgi_host_attachment *at = attached();
    atomic_store(&at->file.header->moving, 1); /* he died before he had marked anything */
    assert_true(jtgi_host_heir_is_abandoned(at));
    atomic_store(&at->file.header->dating, at->party.word);
    assert_false(jtgi_host_heir_is_abandoned(at));
    (void)host_store_kept_since(cache);
    assert_int_equal(atomic_load(&at->file.header->moving), 1);
    uint32_t word = at->party.word;
    jtgi_host_detach(at, false);
    at = attached();
    assert_int_not_equal(word, at->party.word);
    assert_true(jtgi_host_heir_is_abandoned(at));
    (void)host_store_kept_since(cache);
    assert_int_equal(atomic_load(&at->file.header->moving), 0);
    jtgi_host_detach(at, false);
    jtg_cache_free(cache);
}

/* Whoever set them lives, or has put another file there. */
static void marks_that_count_stay(void **state)
{
    (void)state;
    struct jtgi_host_attachment *at = attached(), *other = attached();
    mark(at);
    assert_int_equal(jtgi_lock_take(&other->file.header->dating, &other->party), JTGI_LOCK_TAKEN);
    assert_false(jtgi_host_heir_unmark(at));
    jtgi_lock_leave(&other->file.header->dating, &other->party);
    host_folder_remove_store(&store.folder);
    assert_true(jtgi_host_heir_unmark(at)); /* there is something to follow */
    assert_int_equal(atomic_load(&at->file.header->moving), 1);
    assert_false(jtgi_table_hold(at->table));
    jtgi_host_detach(at, false);
    jtgi_host_detach(other, false);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, host_store_begin, host_store_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_that_is_seen_in_time_has_kept_all),
        CASE(one_that_is_seen_late_is_a_new_file),
        CASE(one_that_replaced_another_is_a_new_file),
        CASE(whose_heir_one_is_can_be_told),
        CASE(the_exchange_is_no_move),
        CASE(marks_of_a_dead_one_are_taken_away),
        CASE(who_only_looks_takes_them_away),
        CASE(marks_that_count_stay),
    };
    return cmocka_run_group_tests_name("heir", tests, NULL, NULL);
}
