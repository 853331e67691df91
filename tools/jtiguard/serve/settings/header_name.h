/* SPDX-License-Identifier: Apache-2.0 */
/* What a header's name may be, for each use that the settings make of one. */
#ifndef SERVE_HEADER_NAME_H
#define SERVE_HEADER_NAME_H

#include <stdbool.h>

/* Whether a text can be the name of an HTTP header (RFC 9110 section 5.6.2). */
bool is_header_name(const char *text);

/* Whether a claim must not be able to say this header. */
bool is_reserved_header(const char *name);

/* Whether clients themselves write this header in ordinary requests, in any spelling that servers
 * fold together. Its value is the client's word, so it can never say which request this is. */
bool is_client_header(const char *name);

/* Whether a proxy makes this header by itself, for its own id of the request. Of any other name
 * only its operator knows who writes it. */
bool is_proxy_id_header(const char *name);

#endif
