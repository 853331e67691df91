/* SPDX-License-Identifier: Apache-2.0 */
/* What a build without OpenSSL answers: linked before the library, these functions take the place
 * of its own. Nothing is stored or handed out. */
#include "support/asserts.h"

#include <jtiguard/tls_tickets.h>
#include <string.h>

#define SAYS_SO(call)                                                                              \
    do {                                                                                           \
        jtg_error err = JTG_ERROR_INIT;                                                            \
        assert_status(call, JTG_ERR_UNSUPPORTED);                                                  \
        assert_err_tells(&err, JTG_ERR_UNSUPPORTED);                                               \
        assert_non_null(strstr(err.text, "this build has none"));                                  \
    } while (0)

static void every_call_says_that_there_are_none(void **state)
{
    static const unsigned char pin[JTG_TLS_PIN_BYTES];
    const jtg_tls_tickets_options defaults = JTG_TLS_TICKETS_OPTIONS_INIT;
    jtg_tls_tickets *tickets = (jtg_tls_tickets *)(void *)&tickets;
    jtg_tls_tickets_options options;
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    jtg_tls_fate fate = JTG_TLS_STORED;
    (void)state;
    memset(&options, 0xff, sizeof options);
    jtg_tls_tickets_options_init(&options);
    assert_int_equal(options.struct_size, defaults.struct_size);
    jtg_tls_tickets_options_init(NULL);
    SAYS_SO(jtg_tls_tickets_open(&tickets, "/nowhere", &options, &err));
    assert_null(tickets);
    SAYS_SO(jtg_tls_tickets_open(NULL, NULL, NULL, &err));
    SAYS_SO(jtg_tls_tickets_put(NULL, &endpoint, &ticket, &fate, &err));
    assert_int_equal(fate, JTG_TLS_NOT_STORED);
    SAYS_SO(jtg_tls_tickets_put(NULL, &endpoint, &ticket, NULL, &err));
    SAYS_SO(jtg_tls_tickets_get(NULL, &endpoint, pin, &ticket, &err));
    SAYS_SO(jtg_tls_tickets_take(NULL, &endpoint, pin, &ticket, &err));
    SAYS_SO(jtg_tls_tickets_pin_seen(NULL, &endpoint, pin, &err));
    SAYS_SO(jtg_tls_tickets_invalidate(NULL, &endpoint, &err));
    SAYS_SO(jtg_tls_tickets_load(NULL, NULL, &err));
    SAYS_SO(jtg_tls_tickets_save(NULL, &err));
    assert_int_equal(jtg_tls_tickets_len(NULL), 0);
    assert_status(jtg_tls_tickets_save(NULL, NULL), JTG_ERR_UNSUPPORTED);
    jtg_tls_ticket_clear(&ticket);
    jtg_tls_tickets_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_says_that_there_are_none),
    };
    return cmocka_run_group_tests_name("no TLS tickets", tests, NULL, NULL);
}
