/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/blocking.h"
#include "redis/line/dialer.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/jtiguard-dialer-XXXXXX";

/* Make one of these options, and end it. */
static jtg_status dial(const jtg_redis_options *options)
{
    struct jtgi_redis_config config;
    struct jtgi_dialer dialer;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtgi_redis_config_read(&config, options, NULL), JTG_OK);
    jtg_status status = jtgi_dialer_init(&dialer, &config, &jtgi_blocking, &err);
    assert_int_equal(err.text[0] == '\0', status == JTG_OK);
    if (status == JTG_OK) {
        assert_ptr_equal(dialer.config, &config);
        assert_int_equal(jtgi_password_is_set(&dialer.password),
                         options->password != NULL || options->password_file != NULL);
        assert_int_equal(dialer.tls != NULL, options->tls != 0);
        jtgi_dialer_clear(&dialer);
    }
    jtgi_redis_config_clear(&config);
    return status;
}

static void without_login_and_tls_it_has_neither(void **state)
{
    const jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    assert_status(dial(&options), JTG_OK);
}

static void a_file_that_cannot_be_read_is_told_at_once(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.password_file = "/nowhere/at/all";
    assert_status(dial(&options), JTG_ERR_SYSTEM);
    options.password_file = NULL;
    options.sentinels = "s";
    options.sentinel_primary = "m";
    options.sentinel_password_file = "/nowhere/at/all";
    assert_status(dial(&options), JTG_ERR_SYSTEM);
}

static void out_of_memory_leaves_nothing(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_status status = JTG_ERR_MEMORY;
    unsigned failures = 0;
    (void)state;
    options.user = "u";
    options.password_file = path;
    while (status == JTG_ERR_MEMORY) {
        struct jtgi_redis_config config;
        struct jtgi_dialer dialer;
        assert_status(jtgi_redis_config_read(&config, &options, NULL), JTG_OK);
        alloc_walk_fail_nth(failures + 1);
        status = jtgi_dialer_init(&dialer, &config, &jtgi_blocking, NULL);
        failures += alloc_walk_end();
        if (status == JTG_OK)
            jtgi_dialer_clear(&dialer);
        jtgi_redis_config_clear(&config);
    }
    assert_status(status, JTG_OK);
    assert_true(failures > 0);
}

static int make_file(void **state)
{
    int fd = mkstemp(path);
    (void)state;
    if (fd < 0)
        return -1;
    bool written = write(fd, "secret\n", 7) == 7;
    return close(fd) == 0 && written ? 0 : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_login_and_tls_it_has_neither),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told_at_once),
        cmocka_unit_test(out_of_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
