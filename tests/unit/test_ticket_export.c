/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/ticket_keys_object.h"

#include "support/asserts.h"
#include "support/ticket_fixture.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RAW_BYTES = 80, LINES_MAX = 40, PATH_BYTES = 300 };

static char folder[64];

static int set_up(void **state)
{
    (void)snprintf(folder, sizeof folder, "/tmp/jtiguard-export.XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : ticket_fixture_set_up(state);
}

/* How many files there are; removes them if asked. */
static unsigned count_files(bool remove)
{
    unsigned count = 0;
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (const struct dirent *file = readdir(listing); file != NULL; file = readdir(listing)) {
        if (strcmp(file->d_name, ".") == 0 || strcmp(file->d_name, "..") == 0)
            continue;
        count++;
        if (remove)
            assert_int_equal(unlinkat(dirfd(listing), file->d_name, 0), 0);
    }
    closedir(listing);
    return count;
}

static int tear_down(void **state)
{
    (void)count_files(true);
    rmdir(folder);
    return ticket_fixture_tear_down(state);
}

static size_t read_file(const char *path, char *content, size_t room)
{
    struct stat about;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fail_msg("no file %s", path);
        return 0;
    }
    size_t len = fread(content, 1, room - 1, file);
    fclose(file);
    content[len] = '\0';
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    return len;
}

/* The 80 bytes that stand for the key of this name. */
static void expect_raw(jtg_ticket_keys *keys, const unsigned char raw[RAW_BYTES],
                       const jtg_ticket_key_info *info)
{
    jtg_ticket_cbc_key key;
    assert_memory_equal(raw, info->name, JTG_TICKET_NAME_BYTES);
    assert_true(jtg_ticket_cbc_open_key(keys, info->name, &key, NULL, NULL, NULL));
    assert_memory_equal(raw + 16, key.hmac_key, sizeof key.hmac_key);
    assert_memory_equal(raw + 48, key.aes_key, sizeof key.aes_key);
    jtg_ticket_cbc_key_clear(&key);
}

static void rotate_often(struct ticket_fixture *fixture, jtg_ticket_keys *keys, int times)
{
    for (int i = 0; i < times; i++) {
        assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
        test_clock_advance(&fixture->clock, TICKET_ROTATION_MS);
    }
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
}

/* ---- nginx ---- */

/* The files that the list names, in its order. */
static unsigned read_list(char paths[LINES_MAX][PATH_BYTES])
{
    static char list[LINES_MAX * PATH_BYTES];
    char path[PATH_BYTES];
    unsigned count = 0;
    snprintf(path, sizeof path, "%s/ticket_keys.conf", folder);
    (void)read_file(path, list, sizeof list);
    for (char *line = strtok(list, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char end = '\0';
        assert_int_equal(sscanf(line, "ssl_session_ticket_key \"%299[^\"]\"%c", paths[count], &end),
                         2);
        assert_int_equal(end, ';');
        count++;
    }
    return count;
}

static void nginx_gets_the_sealing_key_first(void **state)
{
    struct ticket_fixture *fixture = *state;
    static char paths[LINES_MAX][PATH_BYTES];
    char raw[RAW_BYTES + 2];
    jtg_ticket_keys_state seen;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    rotate_often(fixture, keys, 3);
    ticket_fixture_state(keys, &seen);
    assert_int_equal(seen.key_count, 5);
    assert_status(jtg_ticket_keys_export_nginx(keys, folder, NULL), JTG_OK);
    const unsigned order[] = {3, 4, 2, 1, 0};
    assert_int_equal(ticket_fixture_sealing(&seen), order[0]);
    assert_int_equal(read_list(paths), 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(read_file(paths[i], raw, sizeof raw), RAW_BYTES);
        expect_raw(keys, (unsigned char *)raw, &seen.keys[order[i]]);
    }
    assert_int_equal(count_files(false), 6);
}

static void make_file(char path[PATH_BYTES], const char *name)
{
    snprintf(path, PATH_BYTES, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void nginx_loses_what_is_over_and_nothing_else(void **state)
{
    struct ticket_fixture *fixture = *state;
    static char paths[LINES_MAX][PATH_BYTES];
    char foreign[PATH_BYTES];
    char leftover[PATH_BYTES]; /* of a process that was killed */
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    make_file(foreign, "mine.key");
    make_file(leftover, ".00112233445566778899aabbccddeeff.key.AbC123");
    assert_status(jtg_ticket_keys_export_nginx(keys, folder, NULL), JTG_OK);
    assert_int_equal(read_list(paths), 1);
    assert_int_equal(access(leftover, F_OK), -1);
    char first[PATH_BYTES];
    memcpy(first, paths[0], sizeof first);
    rotate_often(fixture, keys, 40);
    assert_status(jtg_ticket_keys_export_nginx(keys, folder, NULL), JTG_OK);
    unsigned count = read_list(paths);
    assert_in_range(count, 26, 30);
    assert_int_equal(access(first, F_OK), -1);
    assert_int_equal(access(foreign, F_OK), 0);
    assert_int_equal(count_files(false), count + 2);
}

static void a_failed_export_keeps_the_old_list(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_error err = JTG_ERROR_INIT;
    jtg_ticket_keys *keys = ticket_fixture_open(fixture, 0);
    assert_status(jtg_ticket_keys_export_nginx(keys, folder, &err), JTG_NOT_FOUND); /* not yet */
    assert_err_tells(&err, JTG_NOT_FOUND);
    assert_int_equal(count_files(false), 0);
    test_clock_advance(&fixture->clock, TICKET_LEAD_MS);
    assert_status(jtg_ticket_keys_export_nginx(keys, "/nowhere", &err), JTG_ERR_SYSTEM);
    assert_err_tells(&err, JTG_ERR_SYSTEM);
    const char *const paths[] = {"", "relative", "/a\"b", "/a;b", "/a\nb", "/a$b", "/a'b", "/a{b"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_status(jtg_ticket_keys_export_nginx(keys, paths[i], NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_ticket_keys_export_nginx(keys, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_ticket_keys_export_haproxy(NULL, "/x", NULL), JTG_ERR_ARGUMENT);
}

/* ---- HAProxy ---- */

static unsigned read_haproxy(unsigned char raws[LINES_MAX][RAW_BYTES])
{
    static char text[LINES_MAX * 120];
    char path[PATH_BYTES];
    unsigned count = 0;
    snprintf(path, sizeof path, "%s/keys", folder);
    size_t len = read_file(path, text, sizeof text);
    assert_int_equal(text[len - 1], '\n');
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        size_t raw_len = 0;
        assert_int_equal(sodium_base642bin(raws[count], RAW_BYTES, line, strlen(line), NULL,
                                           &raw_len, NULL, sodium_base64_VARIANT_ORIGINAL),
                         0);
        assert_int_equal(raw_len, RAW_BYTES);
        count++;
    }
    return count;
}

static void export_haproxy(jtg_ticket_keys *keys)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/keys", folder);
    assert_status(jtg_ticket_keys_export_haproxy(keys, path, NULL), JTG_OK);
}

static void haproxy_gets_the_sealing_key_last_but_one(void **state)
{
    struct ticket_fixture *fixture = *state;
    static unsigned char raws[LINES_MAX][RAW_BYTES];
    jtg_ticket_keys_state seen;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    rotate_often(fixture, keys, 3);
    ticket_fixture_state(keys, &seen);
    export_haproxy(keys);
    assert_int_equal(read_haproxy(raws), 5);
    for (unsigned i = 0; i < 5; i++)
        expect_raw(keys, raws[i], &seen.keys[i]);
    assert_int_equal(ticket_fixture_sealing(&seen), 3);
}

static void haproxy_gets_three_keys_at_least(void **state)
{
    struct ticket_fixture *fixture = *state;
    static unsigned char raws[LINES_MAX][RAW_BYTES];
    jtg_ticket_keys_state seen;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    ticket_fixture_state(keys, &seen);
    assert_int_equal(seen.key_count, 1);
    export_haproxy(keys);
    assert_int_equal(read_haproxy(raws), 4); /* padded, and it is its own next one */
    for (unsigned i = 0; i < 4; i++)
        expect_raw(keys, raws[i], &seen.keys[0]);
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
    ticket_fixture_state(keys, &seen);
    export_haproxy(keys);
    assert_int_equal(read_haproxy(raws), 3);
    expect_raw(keys, raws[0], &seen.keys[0]);
    expect_raw(keys, raws[1], &seen.keys[0]);
    expect_raw(keys, raws[2], &seen.keys[1]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nginx_gets_the_sealing_key_first),   CASE(nginx_loses_what_is_over_and_nothing_else),
        CASE(a_failed_export_keeps_the_old_list), CASE(haproxy_gets_the_sealing_key_last_but_one),
        CASE(haproxy_gets_three_keys_at_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
