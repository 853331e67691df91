/* SPDX-License-Identifier: Apache-2.0 */
#include "core/secrets.h"

#include <jtiguard/status.h>
#include <sodium.h>

jtg_status jtgi_secrets_init(jtg_error *err)
{
    if (sodium_init() < 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, 0, "libsodium found no source of randomness");
    return JTG_OK;
}
