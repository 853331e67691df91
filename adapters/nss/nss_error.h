/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_ADAPTERS_NSS_ERROR_H
#define JTGI_ADAPTERS_NSS_ERROR_H

#include <jtiguard/status.h>
#include <prio.h>
#include <stdbool.h>

/* Say that a call of NSS has failed, with the error that NSS left for this thread. */
jtg_status jtgi_nss_error_set(jtg_error *err, const char *what);

/* Is it a socket of NSS's? If not, NSS's error says so. */
bool jtgi_nss_is_socket(PRFileDesc *fd);

#endif
