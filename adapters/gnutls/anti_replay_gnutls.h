/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_ADAPTERS_ANTI_REPLAY_H
#define JTGI_ADAPTERS_ANTI_REPLAY_H

#include <jtiguard/anti_replay_gnutls.h>
#include <time.h>

/* What GnuTLS calls: a gnutls_db_add_func whose context is a
 * jtg_anti_replay_gnutls. 0 accepts the early data. */
int jtgi_anti_replay_gnutls_add(void *context, time_t end, const gnutls_datum_t *key,
                                const gnutls_datum_t *data);

#endif
