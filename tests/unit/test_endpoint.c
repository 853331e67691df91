/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/common/endpoint.h"

#include "support/asserts.h"

#include <sodium.h>
#include <string.h>

static void assert_host(const char *given, const char *expected)
{
    char normal[JTGI_HOST_BYTES];
    if (!jtgi_host_normalise(given, normal))
        fail_msg("refuses %s", given);
    assert_string_equal(normal, expected);
}

static void a_host_has_one_spelling(void **state)
{
    (void)state;
    assert_host("Example.COM", "example.com");
    assert_host("example.com.", "example.com");
    assert_host("xn--Bcher-kva.example", "xn--bcher-kva.example");
    assert_host("a_b.example", "a_b.example");
    assert_host("192.0.2.1", "192.0.2.1");
    assert_host("2001:DB8:0:0:0:0:0:1", "2001:db8::1");
    assert_host("[2001:db8::1]", "2001:db8::1");
    assert_host("[2001:DB8::0001]", "2001:db8::1");
    assert_host("::ffff:192.0.2.1", "192.0.2.1");
    assert_host("[::FFFF:c000:201]", "192.0.2.1");
    assert_host("fe80::1%eth0", "fe80::1%eth0");
    assert_host("[FE80::0:1%Eth0]", "fe80::1%Eth0");
}

static void it_is_read_by_its_size(void **state)
{
    jtg_endpoint given = JTG_ENDPOINT_INIT;
    jtg_endpoint read;
    (void)state;
    given.port = 443;
    assert_status(jtgi_endpoint_read(&read, &given, NULL), JTG_OK);
    assert_int_equal(read.port, 443);
    given.struct_size = 0;
    assert_status(jtgi_endpoint_read(&read, &given, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtgi_endpoint_read(&read, NULL, NULL), JTG_ERR_ARGUMENT);
}

static void what_is_no_host_is_refused(void **state)
{
    (void)state;
    char normal[JTGI_HOST_BYTES];
    char longest[JTG_ENDPOINT_HOST_MAX_BYTES + 2];
    const char *const hosts[] = {
        "",         "a b",          "a\nb",      "[::1",       "::1]",
        "[a.b]",    "[192.0.2.1",   "a/b",       "a:443",      "user@a",
        "fe80::1%", "example%eth0", "a\\b",      "b\xc3\xbc",  "[]",
        "a.b?c",    "2001:db8::g",  "1.2.3.4%x", ".",          "..",
        "a..",      "a..b",         ".a",        "fe80::1%a]", "fe80::1%a b"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (jtgi_host_normalise(hosts[i], normal))
            fail_msg("takes %s as %s", hosts[i], normal);
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_false(jtgi_host_normalise(longest, normal));
    longest[JTG_ENDPOINT_HOST_MAX_BYTES] = '\0';
    assert_true(jtgi_host_normalise(longest, normal));
}

static jtg_endpoint endpoint(const char *host, uint32_t port, const char *alpn,
                             const char *parameters)
{
    jtg_endpoint made = JTG_ENDPOINT_INIT;
    made.host = host;
    made.port = port;
    made.alpn = alpn;
    made.alpn_len = strlen(alpn);
    made.parameters = parameters;
    made.parameters_len = strlen(parameters);
    return made;
}

/* Bytes cannot move from one part to the next. */
static void every_part_counts(void **state)
{
    (void)state;
    const jtg_endpoint endpoints[] = {
        endpoint("a.example", 443, "coap", "x"), endpoint("b.example", 443, "coap", "x"),
        endpoint("a.example", 444, "coap", "x"), endpoint("a.example", 443, "coa", "px"),
        endpoint("a.example", 443, "coap", "y"), endpoint("a.example", 443, "", "coapx"),
        endpoint("a.example", 443, "coapx", ""), endpoint("a.example", 0x1bb0, "coap", "x"),
    };
    enum { COUNT = sizeof endpoints / sizeof endpoints[0] };
    unsigned char digests[COUNT + 2][JTGI_ENDPOINT_DIGEST_BYTES];
    for (size_t i = 0; i < COUNT; i++)
        assert_status(jtgi_endpoint_digest(&endpoints[i], "label", "zone", digests[i], NULL),
                      JTG_OK);
    assert_status(jtgi_endpoint_digest(&endpoints[0], "label", "zonf", digests[COUNT], NULL),
                  JTG_OK);
    assert_status(jtgi_endpoint_digest(&endpoints[0], "labelz", "one", digests[COUNT + 1], NULL),
                  JTG_OK);
    for (size_t i = 0; i <= COUNT + 1; i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(digests[i], digests[k], JTGI_ENDPOINT_DIGEST_BYTES);
}

static void what_is_out_of_range_is_refused(void **state)
{
    (void)state;
    static char longest[JTG_ENDPOINT_PARAMETERS_MAX_BYTES + 2];
    unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES];
    jtg_endpoint bad[] = {
        endpoint(NULL, 443, "", ""),     endpoint("a b", 443, "", ""),
        endpoint("a", 0, "", ""),        endpoint("a", 65536, "", ""),
        endpoint("a", 443, longest, ""), endpoint("a", 443, "", longest),
        endpoint("a", 443, "", ""),
    };
    memset(longest, 'x', sizeof longest - 1);
    bad[4].alpn_len = JTG_ENDPOINT_ALPN_MAX_BYTES + 1;
    bad[5].parameters_len = JTG_ENDPOINT_PARAMETERS_MAX_BYTES + 1;
    bad[6].alpn = NULL;
    bad[6].alpn_len = 1;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        jtg_error err = JTG_ERROR_INIT;
        assert_status(jtgi_endpoint_digest(&bad[i], "label", "zone", digest, &err),
                      JTG_ERR_ARGUMENT);
        assert_err_tells(&err, JTG_ERR_ARGUMENT);
    }
    bad[5].parameters_len = JTG_ENDPOINT_PARAMETERS_MAX_BYTES;
    assert_status(jtgi_endpoint_digest(&bad[5], "label", "zone", digest, NULL), JTG_OK);
}

/* Fleets upgrade one by one: the keys are pinned. */
static void the_keys_are_pinned(void **state)
{
    (void)state;
    unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES];
    unsigned char ticket_digest[JTGI_ENDPOINT_DIGEST_BYTES];
    char key[64];
    char seen[64];
    jtg_endpoint a = endpoint("Example.com", 5684, "coap", "");
    assert_status(jtgi_endpoint_digest(&a, "jtiguard dtls endpoint 1", "default", digest, NULL),
                  JTG_OK);
    jtgi_endpoint_key("dtls:1:", digest, key, sizeof key);
    jtgi_endpoint_ticket_digest(digest, "jtiguard dtls ticket 1", "ticket", 6, ticket_digest);
    jtgi_endpoint_key("dtls-seen:1:", ticket_digest, seen, sizeof seen);
    assert_string_equal(key, "dtls:1:gtVfEP_8S1tQ4GTCDyNIHBpUuRPyN-MmtYJfghLb1tM");
    assert_string_equal(seen, "dtls-seen:1:Coov_R7KGGzxRrdbEVSnbdbtNVop7CHG-gIPak7_1xk");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_has_one_spelling),         cmocka_unit_test(it_is_read_by_its_size),
        cmocka_unit_test(what_is_no_host_is_refused),      cmocka_unit_test(every_part_counts),
        cmocka_unit_test(what_is_out_of_range_is_refused), cmocka_unit_test(the_keys_are_pinned),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
