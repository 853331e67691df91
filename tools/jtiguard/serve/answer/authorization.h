/* SPDX-License-Identifier: Apache-2.0 */
/* What a request shows: the scheme and the token of its one Authorization header, and with DPoP
 * the one proof (RFC 6750 section 2.1, RFC 9449 section 7.1). Or, where the settings say so, the
 * token in a form. */
#ifndef SERVE_AUTHORIZATION_H
#define SERVE_AUTHORIZATION_H

#include "serve/answer/exchange.h"

struct authorization {
    bool is_dpop;
    jtg_text token; /* the exchange's */
    jtg_text proof;
    jtg_kind kind;    /* that the token must be of; JTG_KIND_NONE: any that has an entry */
    char *form_value; /* which the token is then; NULL: it is not from a form */
};

/* The caller ends with authorization_clear() in any case. */
enum refusal authorization_read(struct authorization *shown, const struct exchange *exchange);
void authorization_clear(struct authorization *shown);

/* The token after a scheme, e.g. "Bearer", in upper or lower case. */
enum authorization_answer { AUTHORIZATION_OK, AUTHORIZATION_OTHER, AUTHORIZATION_MALFORMED };
enum authorization_answer authorization_split(jtg_text header, const char *scheme, jtg_text *token);

#endif
