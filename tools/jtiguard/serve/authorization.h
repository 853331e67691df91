/* SPDX-License-Identifier: Apache-2.0 */
/* What a request shows: the scheme and the token of its one Authorization header, and with DPoP
 * the one proof (RFC 6750 section 2.1, RFC 9449 section 7.1). */
#ifndef SERVE_AUTHORIZATION_H
#define SERVE_AUTHORIZATION_H

#include "http.h"

struct authorization {
    bool is_dpop;
    jtg_text token; /* the exchange's */
    jtg_text proof;
};

enum refusal authorization_read(struct authorization *shown, const struct exchange *exchange);

/* The token after a scheme, e.g. "Bearer", in upper or lower case. */
enum authorization_answer { AUTHORIZATION_OK, AUTHORIZATION_OTHER, AUTHORIZATION_MALFORMED };
enum authorization_answer authorization_split(jtg_text header, const char *scheme, jtg_text *token);

#endif
