/* SPDX-License-Identifier: Apache-2.0 */
/* Which boot and which monotonic clock; without a word from the kernel, none. */
#include "host/identity.h"
#include "support/asserts.h"
#include "support/host_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char boot[] = "01234567-89ab-cdef-0123-456789abcdef";

/* A folder that looks like /proc, in parts. */
static void make_folder(const struct host_folder *proc, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", proc->path, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void make_file(const struct host_folder *proc, const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", proc->path, name);
    int descriptor = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    (void)close(descriptor);
}

static void remove_parts(const struct host_folder *proc)
{
    static const char *const parts[] = {"sys/kernel/random/boot_id",
                                        "sys/kernel/random",
                                        "sys/kernel",
                                        "sys",
                                        "self/ns/time",
                                        "self/ns/pid",
                                        "self/ns",
                                        "self"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", proc->path, parts[i]);
        (void)remove(path);
    }
    host_folder_remove(proc);
}

static void this_host_says_it(void **state)
{
    struct jtgi_host_identity one, two;
    (void)state;
    assert_status(jtgi_host_identity_read(&one, "/proc", NULL), JTG_OK);
    assert_status(jtgi_host_identity_read(&two, "/proc", NULL), JTG_OK);
    assert_int_equal(strlen(one.boot), 36);
    assert_memory_equal(&one, &two, sizeof one);
}

static void an_older_kernel_has_one_clock(void **state)
{
    struct host_folder proc;
    struct jtgi_host_identity read;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    host_folder_make(&proc);
    assert_status(jtgi_host_identity_read(&read, proc.path, &err), JTG_ERR_UNAVAILABLE);
    assert_err_tells(&err, JTG_ERR_UNAVAILABLE);
    make_folder(&proc, "sys");
    make_folder(&proc, "sys/kernel");
    make_folder(&proc, "sys/kernel/random");
    make_folder(&proc, "self");
    make_folder(&proc, "self/ns");
    make_file(&proc, "sys/kernel/random/boot_id", boot);
    assert_status(jtgi_host_identity_read(&read, proc.path, NULL), JTG_ERR_UNAVAILABLE);
    make_file(&proc, "self/ns/pid", "");
    assert_status(jtgi_host_identity_read(&read, proc.path, NULL), JTG_OK);
    assert_string_equal(read.boot, boot);
    assert_int_equal(read.time_namespace, 0);
    make_file(&proc, "self/ns/time", "");
    assert_status(jtgi_host_identity_read(&read, proc.path, NULL), JTG_OK);
    assert_int_not_equal(read.time_namespace, 0);
    remove_parts(&proc);
}

/* What the link says is the inode. */
static void a_link_says_which_clock(void **state)
{
    struct jtgi_host_identity read;
    struct stat about;
    (void)state;
    if (stat("/proc/self/ns/time", &about) != 0)
        skip();
    assert_status(jtgi_host_identity_read(&read, "/proc", NULL), JTG_OK);
    assert_int_equal(read.time_namespace, about.st_ino);
}

/* Of another form it says nothing, and where it leads does. */
static void a_link_of_another_form_is_followed(void **state)
{
    static const char *const forms[] = {"time:[",     "time:[]",  "time:[0]",
                                        "time:[12x]", "time:[12", "pid:[12]"};
    struct host_folder proc;
    struct jtgi_host_identity read;
    (void)state;
    host_folder_make(&proc);
    make_folder(&proc, "sys");
    make_folder(&proc, "sys/kernel");
    make_folder(&proc, "sys/kernel/random");
    make_folder(&proc, "self");
    make_folder(&proc, "self/ns");
    make_file(&proc, "sys/kernel/random/boot_id", boot);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char path[128], target[160];
        struct stat about;
        (void)snprintf(path, sizeof path, "%s/self/ns/time", proc.path);
        (void)snprintf(target, sizeof target, "%s/self/ns/%s", proc.path, forms[i]);
        assert_int_equal(symlink(forms[i], path), 0);
        make_file(&proc, strstr(target, "self/"), "");
        assert_int_equal(stat(path, &about), 0);
        assert_status(jtgi_host_identity_read(&read, proc.path, NULL), JTG_OK);
        assert_int_equal(read.time_namespace, about.st_ino);
        (void)remove(target);
        (void)remove(path);
    }
    remove_parts(&proc);
}

static void half_a_boot_is_none(void **state)
{
    struct host_folder proc;
    struct jtgi_host_identity read;
    (void)state;
    host_folder_make(&proc);
    make_folder(&proc, "sys");
    make_folder(&proc, "sys/kernel");
    make_folder(&proc, "sys/kernel/random");
    make_folder(&proc, "self");
    make_folder(&proc, "self/ns");
    make_file(&proc, "self/ns/time", "");
    make_file(&proc, "sys/kernel/random/boot_id", "01234567");
    assert_status(jtgi_host_identity_read(&read, proc.path, NULL), JTG_ERR_UNAVAILABLE);
    remove_parts(&proc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_host_says_it),
        cmocka_unit_test(an_older_kernel_has_one_clock),
        cmocka_unit_test(a_link_says_which_clock),
        cmocka_unit_test(a_link_of_another_form_is_followed),
        cmocka_unit_test(half_a_boot_is_none),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
