/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of TLS are taken for: when they change, and when they cannot be used. */
#include "redis/line/tls/tls_context.h"

#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/tls_certificate.h"

#include <stdio.h>
#include <string.h>

static struct tls_certificate first;
static struct tls_certificate second;
static struct jtgi_redis_config config;
static struct jtgi_tls_context context;
static unsigned lines;
static char last_line[256];

static void note(void *unused, jtg_log_level level, const char *line)
{
    (void)unused;
    (void)level;
    (void)snprintf(last_line, sizeof last_line, "%s", line);
    lines++;
}

static int make_certificates(void **state)
{
    (void)state;
    tls_certificate_make(&first, 0);
    tls_certificate_make(&second, 0);
    return 0;
}

static int remove_certificates(void **state)
{
    (void)state;
    tls_certificate_clear(&first);
    tls_certificate_clear(&second);
    return 0;
}

/* Over what is there: whoever reads in between finds a part of it. */
static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int open_context(void **state)
{
    (void)state;
    lines = 0;
    memset(&config, 0, sizeof config);
    config.logger.struct_size = sizeof config.logger;
    config.logger.max_level = JTG_LOG_DEBUG;
    config.logger.write = note;
    config.options.tls = 1;
    config.options.tls_ca_file = first.certificate_path;
    config.options.tls_cert_file = first.certificate_path;
    config.options.tls_key_file = first.key_path;
    write_file(first.certificate_path, first.certificate_pem);
    write_file(first.key_path, first.key_pem);
    assert_status(jtgi_tls_context_init(&context, &config, NULL), JTG_OK);
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    jtgi_tls_context_clear(&context);
    return 0;
}

/* Only to be compared. */
static const SSL_CTX *taken(void)
{
    SSL_CTX *now = jtgi_tls_context_take(&context);
    assert_non_null(now);
    SSL_CTX_free(now);
    return now;
}

static bool explains(void)
{
    jtg_error err = JTG_ERROR_INIT;
    (void)jtg_error_set(&err, JTG_ERR_UNAVAILABLE, 0, "redis: no");
    jtgi_tls_context_explain(&context, &err);
    assert_int_equal(strncmp(err.text, "redis: no", 9), 0);
    return strstr(err.text, "what it held before was used") != NULL;
}

static void files_that_stay_are_loaded_once(void **state)
{
    const SSL_CTX *before = taken();
    (void)state;
    assert_ptr_equal(taken(), before);
    assert_int_equal(lines, 0);
    assert_int_equal(SSL_CTX_get_min_proto_version(context.current), TLS1_2_VERSION);
    assert_int_equal(SSL_CTX_get_verify_mode(context.current), SSL_VERIFY_PEER);
    assert_false(explains());
}

static void new_files_are_taken(void **state)
{
    SSL_CTX *before = jtgi_tls_context_take(&context);
    (void)state;
    write_file(first.certificate_path, second.certificate_pem);
    write_file(first.key_path, second.key_pem);
    const SSL_CTX *now = taken();
    assert_ptr_not_equal(now, before);
    assert_ptr_equal(taken(), now);
    assert_int_equal(lines, 1);
    SSL_CTX_free(before); /* whoever had it kept it until now */
}

/* A certificate whose key has not come: told once, and it goes on with what it held. */
static void what_cannot_be_used_leaves_what_was(void **state)
{
    const SSL_CTX *before = taken();
    (void)state;
    write_file(first.certificate_path, second.certificate_pem);
    assert_ptr_equal(taken(), before);
    assert_int_equal(lines, 1);
    assert_non_null(strstr(last_line, "tls_key_file cannot be used"));
    assert_true(explains());
    assert_ptr_equal(taken(), before);
    assert_int_equal(lines, 1); /* the same files are not tried again */
    write_file(first.key_path, second.key_pem);
    assert_ptr_not_equal(taken(), before);
    assert_false(explains());
}

/* Put away for a moment: what is in use is what the files hold again. */
static void files_that_are_back_are_not_stale(void **state)
{
    (void)state;
    config.options.tls_key_file = "/nowhere/at/all";
    const SSL_CTX *before = taken();
    assert_true(explains());
    config.options.tls_key_file = first.key_path;
    assert_ptr_equal(taken(), before);
    assert_false(explains());
}

static void a_file_that_cannot_be_used_is_told_by_its_option(void **state)
{
    static const char *const options[] = {"tls_ca_file", "tls_cert_file", "tls_key_file"};
    struct jtgi_tls_context none;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct jtgi_redis_config wrong = config;
        jtg_error err = JTG_ERROR_INIT;
        wrong.options.tls_ca_file = i == 0 ? "/nowhere/at/all" : first.certificate_path;
        wrong.options.tls_cert_file = i == 1 ? "/nowhere/at/all" : first.certificate_path;
        wrong.options.tls_key_file = i == 2 ? second.key_path : first.key_path;
        assert_status(jtgi_tls_context_init(&none, &wrong, &err), JTG_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, options[i]));
        assert_null(none.current);
    }
}

/* It says nothing about the files: they are tried again. */
static void want_of_memory_is_not_remembered(void **state)
{
    const SSL_CTX *before = taken();
    (void)state;
    write_file(first.certificate_path, second.certificate_pem);
    write_file(first.key_path, second.key_pem);
    alloc_walk_fail_all();
    assert_ptr_equal(taken(), before);
    (void)alloc_walk_end();
    assert_false(explains());
    assert_ptr_not_equal(taken(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_that_stay_are_loaded_once),
        TEST(new_files_are_taken),
        TEST(what_cannot_be_used_leaves_what_was),
        TEST(files_that_are_back_are_not_stale),
        TEST(a_file_that_cannot_be_used_is_told_by_its_option),
        TEST(want_of_memory_is_not_remembered),
    };
    return cmocka_run_group_tests_name("tls context", tests, make_certificates,
                                       remove_certificates);
}
