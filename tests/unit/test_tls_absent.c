/* SPDX-License-Identifier: Apache-2.0 */
/* What a build without TLS answers to who asks for it: never a connection in clear. Linked before
 * the library, these functions take the place of its own. */
#include "redis/line/tls/tls.h"

#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "support/asserts.h"

#include <errno.h>
#include <string.h>

static jtg_status made(uint32_t tls, uint32_t sentinel_tls, jtg_error *err)
{
    struct jtgi_redis_config config;
    struct jtgi_tls *shared = (struct jtgi_tls *)(void *)&config;
    memset(&config, 0, sizeof config);
    config.options.tls = tls;
    config.options.sentinel_tls = sentinel_tls;
    jtg_status status = jtgi_tls_new(&shared, &config, err);
    assert_null(shared);
    jtgi_tls_free(shared);
    return status;
}

static void who_asks_for_it_is_refused(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_int_equal(jtg_redis_has_tls(), 0);
    assert_status(made(0, 0, &err), JTG_OK);
    assert_status(made(1, 0, &err), JTG_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "JTIGUARD_REDIS_TLS"));
    assert_status(made(0, 1, NULL), JTG_ERR_UNSUPPORTED);
}

/* It cannot be reached, and refuses all the same. */
static void there_is_no_session(void **state)
{
    struct jtgi_tls_session *session = NULL;
    unsigned char byte = 7;
    size_t count = 9;
    short wanted = 0;
    (void)state;
    assert_status(
        jtgi_tls_connect(NULL, "h", NULL, -1, &jtgi_blocking, jtgi_now_ns(), &session, NULL),
        JTG_ERR_UNSUPPORTED);
    assert_null(session);
    jtgi_tls_session_free(session);
    errno = 0;
    assert_int_equal(jtgi_tls_send(NULL, &byte, 1, &count, &wanted), JTGI_IO_FAILED);
    assert_int_equal(jtgi_tls_receive(NULL, &byte, 1, &count, &wanted), JTGI_IO_FAILED);
    assert_int_equal(errno, ENOTSUP);
    assert_int_equal(byte, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_for_it_is_refused),
        cmocka_unit_test(there_is_no_session),
    };
    return cmocka_run_group_tests_name("no TLS", tests, NULL, NULL);
}
