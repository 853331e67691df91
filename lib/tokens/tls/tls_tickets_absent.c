/* SPDX-License-Identifier: Apache-2.0 */
/* A build without OpenSSL: the same functions, which say so. A program links either way. */
#include <jtiguard/status.h>
#include <jtiguard/tls_tickets.h>

static jtg_status say_absent(jtg_error *err)
{
    return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                         "tls tickets: this build has none (libssl-dev was missing)");
}

void jtg_tls_tickets_options_init(jtg_tls_tickets_options *options)
{
    static const jtg_tls_tickets_options defaults = JTG_TLS_TICKETS_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

jtg_status jtg_tls_tickets_open(jtg_tls_tickets **tickets, const char *path,
                                const jtg_tls_tickets_options *options, jtg_error *err)
{
    (void)path;
    (void)options;
    if (tickets != NULL)
        *tickets = NULL;
    return say_absent(err);
}

void jtg_tls_tickets_free(jtg_tls_tickets *tickets)
{
    (void)tickets;
}

void jtg_tls_ticket_clear(jtg_tls_ticket *ticket)
{
    (void)ticket;
}

jtg_status jtg_tls_tickets_put(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint,
                               const jtg_tls_ticket *ticket, jtg_tls_fate *fate, jtg_error *err)
{
    (void)tickets;
    (void)endpoint;
    (void)ticket;
    if (fate != NULL)
        *fate = JTG_TLS_NOT_STORED;
    return say_absent(err);
}

jtg_status jtg_tls_tickets_get(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint,
                               const unsigned char *pin, jtg_tls_ticket *ticket, jtg_error *err)
{
    (void)tickets;
    (void)endpoint;
    (void)pin;
    (void)ticket;
    return say_absent(err);
}

jtg_status jtg_tls_tickets_take(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint,
                                const unsigned char *pin, jtg_tls_ticket *ticket, jtg_error *err)
{
    return jtg_tls_tickets_get(tickets, endpoint, pin, ticket, err);
}

jtg_status jtg_tls_tickets_pin_seen(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint,
                                    const unsigned char pin[JTG_TLS_PIN_BYTES], jtg_error *err)
{
    (void)tickets;
    (void)endpoint;
    (void)pin;
    return say_absent(err);
}

jtg_status jtg_tls_tickets_invalidate(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint,
                                      jtg_error *err)
{
    (void)tickets;
    (void)endpoint;
    return say_absent(err);
}

jtg_status jtg_tls_tickets_load(jtg_tls_tickets *tickets, jtg_tls_tickets_state *state,
                                jtg_error *err)
{
    (void)tickets;
    (void)state;
    return say_absent(err);
}

jtg_status jtg_tls_tickets_save(jtg_tls_tickets *tickets, jtg_error *err)
{
    (void)tickets;
    return say_absent(err);
}

size_t jtg_tls_tickets_len(jtg_tls_tickets *tickets)
{
    (void)tickets;
    return 0;
}
