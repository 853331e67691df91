/* SPDX-License-Identifier: Apache-2.0 */
/* Randomness and digests, all from libsodium. */
#ifndef JTGI_CORE_SECRETS_H
#define JTGI_CORE_SECRETS_H

#include <jtiguard/status.h>

/* Make libsodium ready. Every constructor calls it; it works once.
 * Returns: JTG_OK · JTG_ERR_SYSTEM (no source of randomness) */
jtg_status jtgi_secrets_init(jtg_error *err);

#endif
