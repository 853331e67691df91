/* SPDX-License-Identifier: Apache-2.0 */
#include "header_name.h"

#include <string.h>
#include <strings.h>

bool is_header_name(const char *text)
{
    static const char letters[] = "!#$%&'*+-.^_`|~0123456789"
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t len = strlen(text);
    return len > 0 && len <= 128 && strspn(text, letters) == len;
}

/* Headers that mean something to the connection, to caches, or that the service sets itself: a
 * claim must not be able to say those. */
bool is_reserved_header(const char *name)
{
    static const char *const names[] = {"Cache-Control",  "Connection",        "Content-Encoding",
                                        "Content-Length", "Content-Type",      "Date",
                                        "DPoP-Nonce",     "Keep-Alive",        "Location",
                                        "Set-Cookie",     "Trailer",           "Transfer-Encoding",
                                        "Upgrade",        "WWW-Authenticate",  "X-JTI-Result",
                                        "X-JTI-Reason",   "Proxy-Authenticate"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}
