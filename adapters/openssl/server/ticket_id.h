/* SPDX-License-Identifier: Apache-2.0 */
/* To know a ticket again: an id in its application data. */
#ifndef ADAPTERS_OPENSSL_SERVER_TICKET_ID_H
#define ADAPTERS_OPENSSL_SERVER_TICKET_ID_H

#include "adapters/openssl/server/early_data.h"

enum { JTGO_TICKET_ID_BYTES = 16 };

/* False: no memory. */
bool jtgo_ticket_id_install(SSL_CTX *context, struct jtgo_early_data *guard);
struct jtgo_id jtgo_ticket_id_of(const SSL_SESSION *session);

#endif
