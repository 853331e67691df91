/* SPDX-License-Identifier: Apache-2.0 */
/* To know a ticket again: it is the id of a session in a cache. */
#ifndef ADAPTERS_OPENSSL_SERVER_STORED_SESSION_H
#define ADAPTERS_OPENSSL_SERVER_STORED_SESSION_H

#include "adapters/openssl/server/early_data.h"

/* False: no memory. */
bool jtgo_stored_session_install(SSL_CTX *context);
struct jtgo_id jtgo_stored_session_id_of(const SSL_SESSION *session);

/* True: the context has session callbacks that are not ours. */
bool jtgo_stored_session_is_taken(SSL_CTX *context);

#endif
