/* SPDX-License-Identifier: Apache-2.0 */
/* A server, a file of tickets and a client's context that uses it. Failures assert. */
#ifndef TESTS_ADAPTERS_OPENSSL_TLS_TICKETS_FIXTURE_H
#define TESTS_ADAPTERS_OPENSSL_TLS_TICKETS_FIXTURE_H

#include "adapters/openssl/ticket_client.h"
#include "adapters/openssl/ticket_server.h"
#include "support/test_clock.h"
#include "support/tls_certificate.h"

struct tickets_fixture {
    struct test_clock clock;
    jtg_clock as_jtg;
    struct tls_certificate identity;
    struct ticket_server server;
    char folder[128];
    char path[160];
    jtg_tls_tickets *tickets;
    SSL_CTX *context; /* trusts the identity */
    jtg_endpoint endpoint;
};

/* The server is there, but not running. */
void tickets_fixture_init(struct tickets_fixture *fixture);
void tickets_fixture_clear(struct tickets_fixture *fixture);

/* The same file in a new object, as in another process. */
jtg_tls_tickets *tickets_fixture_open(struct tickets_fixture *fixture);

/* A context that trusts the certificates of a file (NULL: asks nobody) and keeps its tickets. */
SSL_CTX *tickets_fixture_context(const char *authority_path, jtg_tls_tickets *tickets);

/* One visit, which must succeed and come about like this. */
#define assert_visit(fixture, context, expected)                                                   \
    assert_int_equal(tickets_fixture_visit((fixture), (context)), (expected))
jtg_tls_resumption tickets_fixture_visit(struct tickets_fixture *fixture, SSL_CTX *context);

#endif
