/* SPDX-License-Identifier: Apache-2.0 */
/* The example programs print what a reader of them expects. */
#include "cli/run_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const char *path, const char *output)
{
    static const char *const none[] = {NULL};
    struct tool_run run;
    run_program(&run, path, none, "", 0);
    assert_string_equal(run.out, output);
    assert_int_equal(run.err_len, 0);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

static void guard_token(void **state)
{
    (void)state;
    expect(EXAMPLE_GUARD_TOKEN, "welcome\nrefused: replayed\nwelcome\n1 replayed\n");
}

static void first_token(void **state)
{
    (void)state;
    expect(EXAMPLE_FIRST_TOKEN, "use 1: admitted\nuse 2: replayed\n");
}

static void guard_many(void **state)
{
    (void)state;
    expect(EXAMPLE_GUARD_MANY,
           "token 1: admitted\ntoken 2: admitted\ntoken 3: replayed\ntoken 4: expired\n"
           "token 5: admitted\ntoken 1: replayed\ntoken 2: replayed\ntoken 3: replayed\n"
           "token 4: expired\ntoken 5: replayed\n3 logged out, and 0 when it was sent again\n");
}

static void idempotent_owner(void **state)
{
    (void)state;
    expect(EXAMPLE_IDEMPOTENT_OWNER, "request-1: admitted\nrequest-1: admitted\n"
                                     "request-2: replayed\nrelease: ok\nrequest-3: admitted\n");
}

static void retry_result(void **state)
{
    (void)state;
    expect(EXAMPLE_RETRY_RESULT, "key of the client: admitted\nkey of the client: admitted\n"
                                 "key of a thief: replayed\nboth tries got the same token\n"
                                 "key of the client: admitted\nkey of a thief: replayed\n");
}

static void custom_backend(void **state)
{
    (void)state;
    expect(EXAMPLE_CUSTOM_BACKEND,
           "backend: shelf\na: ok\nb: ok\nc: ok\nd: ok\ne: ok\nf: ok\ng: ok\nh: ok\n"
           "a: replayed, another owner holds the key\n"
           "one too many: store_full, all 8 places are taken\n");
}

static void breakglass_page(void **state)
{
    (void)state;
    expect(EXAMPLE_BREAKGLASS_PAGE, "  audit: issue issued\n  audit: issue refused\n"
                                    "  audit: lookup malformed\nno entry\n"
                                    "  audit: lookup matched\nthe door is open\n"
                                    "  audit: lookup matched\nthe door is open\n"
                                    "  audit: lookup used_up\nno entry\n");
}

static void early_data(void **state)
{
    (void)state;
    expect(EXAMPLE_EARLY_DATA, "ticket-1: not_seen, first\nticket-1: seen, replayed\n"
                               "ticket-2: not_seen, first\nticket-3: unsure, not_fresh\n");
}

static void quic_token_cache(void **state)
{
    (void)state;
    expect(EXAMPLE_QUIC_TOKEN_CACHE, "client: connect without a token\n"
                                     "client: token-1: stored\nclient: token-1: duplicate\n"
                                     "client: connect with token-1, rtt 23000 us\n"
                                     "server: the address is validated\n"
                                     "server: send a Retry (replayed)\n"
                                     "client: token-1: duplicate\nclient: : empty\n"
                                     "client: connect without a token\n");
}

#ifdef EXAMPLE_TICKET_KEYS /* a build with OpenSSL */
static void ticket_keys(void **state)
{
    (void)state;
    expect(EXAMPLE_TICKET_KEYS, "issue: done, 131 bytes\n"
                                "resume: suite 1302, secret of 37 bytes, for h2\n"
                                "resume: suite 1302, secret of 37 bytes, for h2, "
                                "send a new ticket\n"
                                "resume: not authentic\n"
                                "resume: sealed under a key that is not in the set\n");
}

static void dtls_client(void **state)
{
    (void)state;
    expect(EXAMPLE_DTLS_CLIENT, "ticket-1: stored\nticket-1: a duplicate\n"
                                "connect: resume with ticket-1\n"
                                "ticket-1: a duplicate\n"
                                "connect: full handshake (not_found)\n"
                                "ticket-2: discarded\n");
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guard_token),      cmocka_unit_test(guard_many),
        cmocka_unit_test(first_token),      cmocka_unit_test(idempotent_owner),
        cmocka_unit_test(retry_result),     cmocka_unit_test(custom_backend),
        cmocka_unit_test(breakglass_page),  cmocka_unit_test(early_data),
        cmocka_unit_test(quic_token_cache),
#ifdef EXAMPLE_TICKET_KEYS
        cmocka_unit_test(ticket_keys),      cmocka_unit_test(dtls_client),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
