/* SPDX-License-Identifier: Apache-2.0 */
/* rediss:// against the TLS + ACL server: only the right server is talked to, and only with the
 * right certificate and password. A build without TLS refuses the URI. */
#include "integration/store.h"
#include "support/asserts.h"
#include "support/history.h"

#include <jtiguard/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TLS_URI_BYTES = 2048 };

static char certificates[256];
static char address[64]; /* localhost:PORT */

static int start(void **state)
{
    (void)state;
    const char *uri = getenv("JTIGUARD_TEST_REDIS_TLS_URI");
    const char *folder = getenv("JTIGUARD_TEST_CERTIFICATES");
    const char *at = uri == NULL ? NULL : strchr(uri, '@');
    if (at == NULL || folder == NULL) {
        fail_msg("no TLS server: run this by tests/integration/with-redis");
        return 1;
    }
    snprintf(address, sizeof address, "%.*s", (int)strcspn(at + 1, "/"), at + 1);
    snprintf(certificates, sizeof certificates, "%s", folder);
    return 0;
}

/* A URI of the server with these files. */
static void make_uri(char *uri, const char *scheme, const char *host, const char *ca,
                     const char *client)
{
    int len = snprintf(uri, TLS_URI_BYTES,
                       "%s://jtiguard@%s/0?timeout=3s&password_file=%s/password&ca=%s/%s&cert=%s/"
                       "%s.pem&key=%s/%s.key",
                       scheme, host, certificates, certificates, ca, certificates, client,
                       certificates, client);
    assert_in_range(len, 1, TLS_URI_BYTES - 1);
}

static jtg_status try_uri(const char *uri)
{
    jtg_cache *cache = store_open(uri);
    jtg_status status = jtg_cache_ping(cache, NULL);
    jtg_cache_free(cache);
    return status;
}

static void the_right_server_is_used(void **state)
{
    (void)state;
    char uri[TLS_URI_BYTES];
    make_uri(uri, "rediss", address, "ca.pem", "client");
    jtg_cache *cache = store_open(uri);
    uint64_t key = history_now_ns(); /* of this run alone */
    assert_status(store_reserve(cache, key, 1), JTG_OK);
    assert_status(store_reserve(cache, key, 2), JTG_REPLAYED);
    jtg_cache_free(cache);
}

static void a_server_of_another_authority_is_refused(void **state)
{
    (void)state;
    char uri[TLS_URI_BYTES];
    make_uri(uri, "rediss", address, "other-ca.pem", "client");
    assert_status(try_uri(uri), JTG_ERR_UNAVAILABLE);
}

static jtg_status try_name(const char *query)
{
    char right[TLS_URI_BYTES];
    char named[TLS_URI_BYTES];
    make_uri(right, "rediss", address, "ca.pem", "client");
    store_uri_with(named, sizeof named, right, query);
    return try_uri(named);
}

static void a_server_of_another_name_is_refused(void **state)
{
    (void)state;
    assert_status(try_name("server_name=redis.example"), JTG_ERR_UNAVAILABLE);
    assert_status(try_name("server_name=redis-tls"), JTG_OK); /* one of its names */
}

static void an_address_in_the_certificate_will_do(void **state)
{
    (void)state;
    char uri[TLS_URI_BYTES];
    char numeric[64];
    snprintf(numeric, sizeof numeric, "127.0.0.1%s", strchr(address, ':'));
    make_uri(uri, "rediss", numeric, "ca.pem", "client");
    assert_status(try_uri(uri), JTG_OK);
}

static void an_expired_client_is_refused(void **state)
{
    (void)state;
    char uri[TLS_URI_BYTES];
    make_uri(uri, "rediss", address, "ca.pem", "expired");
    assert_status(try_uri(uri), JTG_ERR_UNAVAILABLE);
}

static void a_wrong_password_is_refused(void **state)
{
    (void)state;
    char uri[TLS_URI_BYTES];
    snprintf(uri, sizeof uri,
             "rediss://jtiguard:wrong@%s/0?timeout=3s&ca=%s/ca.pem&cert=%s/client.pem&key=%s/"
             "client.key",
             address, certificates, certificates, certificates);
    assert_status(try_uri(uri), JTG_ERR_REFUSED);
}

static void plain_text_to_a_tls_server_is_no_answer(void **state)
{
    (void)state;
    char uri[STORE_URI_BYTES];
    snprintf(uri, sizeof uri, "redis://%s/0?timeout=1s", address);
    jtg_status status = try_uri(uri);
    assert_int_not_equal(status, JTG_OK);
    assert_int_not_equal(status, JTG_REPLAYED);
}

static void a_build_without_tls_refuses_the_uri(void **state)
{
    (void)state;
    char uri[TLS_URI_BYTES];
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    make_uri(uri, "rediss", address, "ca.pem", "client");
    assert_status(jtg_redis_new_uri(&cache, uri, &err), JTG_ERR_UNSUPPORTED);
    assert_err_tells(&err, JTG_ERR_UNSUPPORTED);
    assert_null(cache);
}

int main(void)
{
    const struct CMUnitTest with_tls[] = {
        cmocka_unit_test(the_right_server_is_used),
        cmocka_unit_test(a_server_of_another_authority_is_refused),
        cmocka_unit_test(a_server_of_another_name_is_refused),
        cmocka_unit_test(an_address_in_the_certificate_will_do),
        cmocka_unit_test(an_expired_client_is_refused),
        cmocka_unit_test(a_wrong_password_is_refused),
        cmocka_unit_test(plain_text_to_a_tls_server_is_no_answer),
    };
    const struct CMUnitTest without_tls[] = {
        cmocka_unit_test(a_build_without_tls_refuses_the_uri),
        cmocka_unit_test(plain_text_to_a_tls_server_is_no_answer),
    };
    if (jtg_redis_has_tls() != 0)
        return cmocka_run_group_tests(with_tls, start, NULL);
    return cmocka_run_group_tests(without_tls, start, NULL);
}
