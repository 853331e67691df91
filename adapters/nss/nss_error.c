/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/nss/nss_error.h"

#include <jtiguard/status.h>
#include <prerror.h>
#include <secerr.h>
#include <ssl.h>
#include <sslerr.h>

static jtg_status status_of(PRErrorCode code)
{
    switch (code) {
    case SEC_ERROR_NO_MEMORY:
    case PR_OUT_OF_MEMORY_ERROR:
        return JTG_ERR_MEMORY;
    case SSL_ERROR_UNSUPPORTED_EXPERIMENTAL_API:
        return JTG_ERR_UNSUPPORTED;
    default:
        return JTG_ERR_SYSTEM;
    }
}

jtg_status jtgi_nss_error_set(jtg_error *err, const char *what)
{
    PRErrorCode code = PR_GetError();
    const char *name = PR_ErrorToName(code);
    return jtg_error_set(err, status_of(code), code, "NSS: %s: %s", what,
                         name != NULL ? name : "no name");
}

/* Before its first socket NSS takes the lowest layer for its own, and crashes. */
bool jtgi_nss_is_socket(PRFileDesc *fd)
{
    PRIntn secure = 0;
    if (PR_GetLayersIdentity(fd) != PR_NSPR_IO_LAYER)
        return SSL_OptionGet(fd, SSL_SECURITY, &secure) == SECSuccess;
    PR_SetError(PR_BAD_DESCRIPTOR_ERROR, 0);
    return false;
}
