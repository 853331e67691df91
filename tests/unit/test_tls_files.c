/* SPDX-License-Identifier: Apache-2.0 */
/* The print of TLS's files: another one for each change, and the same without. */
#include "redis/line/tls/tls_files.h"

#include "support/asserts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef unsigned char print[JTGI_TLS_PRINT_BYTES];

static char folder[] = "/tmp/jtiguard-tls-files-XXXXXX";
static char ca[64];
static char cert[64];
static char key[64];
static jtg_redis_options options;
static bool is_still; /* the clock of the file system */

/* The library calls the one or the other, by how it is built. */
int __real_fstat(int descriptor, struct stat *about);
int __wrap_fstat(int descriptor, struct stat *about);
int __wrap_fstat64(int descriptor, struct stat *about);

int __wrap_fstat(int descriptor, struct stat *about)
{
    int result = __real_fstat(descriptor, about);
    if (is_still)
        about->st_mtim = about->st_ctim = (struct timespec){0, 0};
    return result;
}

int __wrap_fstat64(int descriptor, struct stat *about)
{
    return __wrap_fstat(descriptor, about);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(ca, sizeof ca, "%s/ca", folder);
    (void)snprintf(cert, sizeof cert, "%s/cert", folder);
    (void)snprintf(key, sizeof key, "%s/key", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(ca);
    (void)unlink(cert);
    (void)unlink(key);
    (void)unsetenv("SSL_CERT_FILE");
    return rmdir(folder);
}

static int write_all(void **state)
{
    (void)state;
    is_still = false;
    jtg_redis_options_init(&options);
    write_file(ca, "ca");
    write_file(cert, "cert");
    write_file(key, "key");
    options.tls_ca_file = ca;
    options.tls_cert_file = cert;
    options.tls_key_file = key;
    return 0;
}

static bool changes(print before)
{
    print now;
    assert_true(jtgi_tls_files_print(&options, now));
    bool changed = memcmp(before, now, sizeof now) != 0;
    memcpy(before, now, sizeof now);
    return changed;
}

static void what_stays_has_one_print(void **state)
{
    print seen = {0};
    (void)state;
    assert_true(changes(seen));
    assert_false(changes(seen));
}

/* Of the same size, and within one tick of the clock. */
static void each_file_counts(void **state)
{
    print seen = {0};
    (void)state;
    is_still = true;
    (void)changes(seen);
    write_file(ca, "CA");
    assert_true(changes(seen));
    write_file(cert, "CERT");
    assert_true(changes(seen));
    write_file(key, "KEY");
    assert_true(changes(seen));
    options.tls_cert_file = NULL;
    assert_true(changes(seen));
}

static void one_that_is_gone_is_another_state(void **state)
{
    print seen = {0};
    print without = {0};
    (void)state;
    (void)changes(seen);
    (void)unlink(key);
    assert_true(changes(seen));
    memcpy(without, seen, sizeof seen);
    assert_false(changes(seen));
    write_file(key, "key");
    assert_true(changes(seen));
    (void)unlink(key);
    assert_true(changes(seen));
    assert_memory_equal(seen, without, sizeof seen);
}

/* Reading it may wait, or take from it what is there once. */
static void what_is_no_file_has_no_print(void **state)
{
    print unused;
    (void)state;
    (void)unlink(key);
    assert_int_equal(mkfifo(key, 0600), 0);
    assert_false(jtgi_tls_files_print(&options, unused));
    (void)unlink(key);
}

/* They are many: only which file it is, and when it changed. */
static void the_systems_authorities_go_by_their_place(void **state)
{
    print seen = {0};
    (void)state;
    options.tls_ca_file = NULL;
    assert_int_equal(setenv("SSL_CERT_FILE", ca, 1), 0);
    (void)changes(seen);
    assert_false(changes(seen));
    write_file(ca, "another authority");
    assert_true(changes(seen));
    assert_int_equal(setenv("SSL_CERT_FILE", cert, 1), 0);
    assert_true(changes(seen));
}

#define TEST(name) cmocka_unit_test_setup(name, write_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_stays_has_one_print),
        TEST(each_file_counts),
        TEST(one_that_is_gone_is_another_state),
        TEST(what_is_no_file_has_no_print),
        TEST(the_systems_authorities_go_by_their_place),
    };
    return cmocka_run_group_tests_name("tls files", tests, make_folder, remove_folder);
}
