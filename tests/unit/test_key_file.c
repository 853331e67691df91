/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/common/key_file.h"

#include "support/asserts.h"
#include "support/ticket_fixture.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned char secret[JTGI_SECRET_BYTES];

static jtg_status read_file(const void *content, size_t len, unsigned mode)
{
    char path[64];
    unsigned char key[JTGI_SECRET_BYTES] = {1};
    jtg_error err = JTG_ERROR_INIT;
    ticket_fixture_key_file(path, content, len, mode);
    jtg_status status = jtgi_key_file_read(path, "kek_file", key, &err);
    unlink(path);
    if (status == JTG_OK) {
        assert_memory_equal(key, secret, sizeof key);
    } else {
        assert_err_tells(&err, status);
        assert_non_null(strstr(err.text, "kek_file"));
    }
    return status;
}

static void it_takes_bytes_and_digits(void **state)
{
    (void)state;
    char hex[128];
    sodium_bin2hex(hex, sizeof hex, secret, sizeof secret);
    assert_status(read_file(secret, sizeof secret, 0600), JTG_OK);
    assert_status(read_file(secret, sizeof secret, 0400), JTG_OK);
    assert_status(read_file(hex, 64, 0600), JTG_OK);
    (void)snprintf(hex + 64, 8, "%s", "\n");
    assert_status(read_file(hex, 65, 0600), JTG_OK);
    (void)snprintf(hex + 64, 8, "%s", "\r\n");
    assert_status(read_file(hex, 66, 0600), JTG_OK);
}

static void it_refuses_another_content(void **state)
{
    (void)state;
    char hex[128];
    assert_status(read_file("", 0, 0600), JTG_ERR_ARGUMENT);
    assert_status(read_file(secret, 31, 0600), JTG_ERR_ARGUMENT);
    sodium_bin2hex(hex, sizeof hex, secret, sizeof secret);
    assert_status(read_file(hex, 63, 0600), JTG_ERR_ARGUMENT);
    (void)snprintf(hex + 64, 8, "%s", "\n\n");
    assert_status(read_file(hex, 66, 0600), JTG_ERR_ARGUMENT);
    (void)snprintf(hex + 64, 8, "%s", "\r\nx");
    assert_status(read_file(hex, 67, 0600), JTG_ERR_ARGUMENT);
    hex[10] = 'g';
    assert_status(read_file(hex, 64, 0600), JTG_ERR_ARGUMENT);
    assert_status(read_file("changemechangemechangemechangeme", 32, 0600), JTG_ERR_ARGUMENT);
    memset(hex, '0', 64);
    assert_status(read_file(hex, 64, 0600), JTG_ERR_ARGUMENT);
}

static void it_refuses_what_others_can_read(void **state)
{
    (void)state;
    const unsigned modes[] = {0640, 0604, 0620, 0601, 0644, 0660, 0666};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        assert_status(read_file(secret, sizeof secret, modes[i]), JTG_ERR_ARGUMENT);
}

/* Its owner knows it. Only root can make such a file, and only root can read it. */
static void it_refuses_what_belongs_to_another_user(void **state)
{
    char path[64];
    unsigned char key[JTGI_SECRET_BYTES];
    (void)state;
    ticket_fixture_key_file(path, secret, sizeof secret, 0600);
    bool is_theirs = chown(path, 65534, (gid_t)-1) == 0;
    jtg_status status = jtgi_key_file_read(path, "kek_file", key, NULL);
    unlink(path);
    assert_status(status, is_theirs ? JTG_ERR_ARGUMENT : JTG_OK);
}

static void it_refuses_what_is_no_file(void **state)
{
    (void)state;
    unsigned char key[JTGI_SECRET_BYTES];
    char pipe_path[64];
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtgi_key_file_read("/nowhere/kek", "kek_file", key, &err), JTG_ERR_SYSTEM);
    assert_int_equal(err.system_errno, ENOENT);
    assert_status(jtgi_key_file_read("/tmp", "kek_file", key, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtgi_key_file_read("/dev/urandom", "kek_file", key, NULL), JTG_ERR_ARGUMENT);
    snprintf(pipe_path, sizeof pipe_path, "/tmp/jtiguard-pipe.%d", (int)getpid());
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    jtg_status status = jtgi_key_file_read(pipe_path, "kek_file", key, NULL); /* does not hang */
    unlink(pipe_path);
    assert_status(status, JTG_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_takes_bytes_and_digits),
        cmocka_unit_test(it_refuses_another_content),
        cmocka_unit_test(it_refuses_what_others_can_read),
        cmocka_unit_test(it_refuses_what_belongs_to_another_user),
        cmocka_unit_test(it_refuses_what_is_no_file),
    };
    if (sodium_init() < 0)
        return 1;
    randombytes_buf(secret, sizeof secret);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
