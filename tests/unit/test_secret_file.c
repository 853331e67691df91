/* SPDX-License-Identifier: Apache-2.0 */
/* Whose file with a secret is believed. */
#include "core/secret_file.h"

#include "support/asserts.h"

#include <string.h>
#include <unistd.h>

static jtg_error err;

static jtg_status checked(uid_t owner, mode_t mode, bool for_owner)
{
    const struct stat about = {.st_uid = owner, .st_mode = S_IFREG | mode};
    memset(&err, 0, sizeof err);
    jtg_status status = jtgi_secret_file_check(&about, for_owner, "the_option", &err);
    assert_true(status == JTG_OK || strncmp(err.text, "the_option: ", 12) == 0);
    return status;
}

/* Ours, or of root, who can do as he likes anyway. */
static void it_belongs_to_us_or_to_root(void **state)
{
    (void)state;
    assert_status(checked(geteuid(), 0600, true), JTG_OK);
    assert_status(checked(0, 0600, true), JTG_OK);
    assert_status(checked(geteuid() + 1, 0600, false), JTG_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "another user"));
}

/* Each of them could put a secret of theirs in place of it. */
static void nobody_else_may_write_it(void **state)
{
    static const mode_t bad[] = {0620, 0602, 0622, 0666, 0777};
    static const mode_t good[] = {0400, 0600, 0440, 0640, 0444, 0644, 0755};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_status(checked(geteuid(), bad[i], false), JTG_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, "chmod go-w"));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_status(checked(geteuid(), good[i], false), JTG_OK);
}

static void one_for_its_owner_is_nobody_elses(void **state)
{
    static const mode_t bad[] = {0640, 0604, 0610, 0601, 0660, 0677};
    static const mode_t good[] = {0400, 0600, 0700};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_status(checked(geteuid(), bad[i], true), JTG_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, "chmod 0600"));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_status(checked(geteuid(), good[i], true), JTG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_belongs_to_us_or_to_root),
        cmocka_unit_test(nobody_else_may_write_it),
        cmocka_unit_test(one_for_its_owner_is_nobody_elses),
    };
    return cmocka_run_group_tests_name("secret file", tests, NULL, NULL);
}
