/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/openssl/tls_tickets_fixture.h"

#include "support/asserts.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

jtg_tls_tickets *tickets_fixture_open(struct tickets_fixture *fixture)
{
    jtg_tls_tickets *tickets = NULL;
    jtg_tls_tickets_options options = JTG_TLS_TICKETS_OPTIONS_INIT;
    jtg_error err = JTG_ERROR_INIT;
    options.clock = &fixture->as_jtg;
    options.max_per_endpoint = 64;
    assert_status(jtg_tls_tickets_open(&tickets, fixture->path, &options, &err), JTG_OK);
    return tickets;
}

SSL_CTX *tickets_fixture_context(const char *authority_path, jtg_tls_tickets *tickets)
{
    SSL_CTX *context = ticket_client_context(authority_path);
    assert_non_null(context);
    assert_status(jtg_tls_tickets_openssl_install(context, tickets, NULL, NULL), JTG_OK);
    return context;
}

/* In memory where there is such a file system: these tests are not about disks. $TMPDIR decides. */
static void make_folder(struct tickets_fixture *fixture)
{
    const char *place = getenv("TMPDIR");
    if (place == NULL)
        place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    int len =
        snprintf(fixture->folder, sizeof fixture->folder, "%s/jtiguard-tickets-XXXXXX", place);
    assert_in_range(len, 1, sizeof fixture->folder - 1);
    assert_non_null(mkdtemp(fixture->folder));
}

void tickets_fixture_init(struct tickets_fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    test_clock_init(&fixture->clock);
    fixture->as_jtg = test_clock_as_jtg(&fixture->clock);
    tls_certificate_make(&fixture->identity, 0);
    ticket_server_init(&fixture->server, fixture->identity.key_path,
                       fixture->identity.certificate_path);
    fixture->endpoint = ticket_client_endpoint(fixture->server.port);
    make_folder(fixture);
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/tickets.json", fixture->folder);
    fixture->tickets = tickets_fixture_open(fixture);
    fixture->context =
        tickets_fixture_context(fixture->identity.certificate_path, fixture->tickets);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void tickets_fixture_clear(struct tickets_fixture *fixture)
{
    SSL_CTX_free(fixture->context);
    jtg_tls_tickets_free(fixture->tickets);
    ticket_server_clear(&fixture->server);
    tls_certificate_clear(&fixture->identity);
    (void)nftw(fixture->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

jtg_tls_resumption tickets_fixture_visit(struct tickets_fixture *fixture, SSL_CTX *context)
{
    struct visit visit = {.port = fixture->server.port, .endpoint = &fixture->endpoint};
    ticket_client_visit(context, &visit);
    assert_true(visit.is_done);
    assert_status(visit.connected, JTG_OK);
    assert_status(visit.prepared, visit.resumption == JTG_TLS_FULL ? JTG_NOT_FOUND : JTG_OK);
    return visit.resumption;
}
