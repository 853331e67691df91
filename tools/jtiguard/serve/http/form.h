/* SPDX-License-Identifier: Apache-2.0 */
/* A field of a body of type application/x-www-form-urlencoded: where OpenID providers put logout
 * tokens, and OAuth clients their assertions. */
#ifndef SERVE_FORM_H
#define SERVE_FORM_H

#include <stdbool.h>
#include <stddef.h>

enum form_answer {
    FORM_ABSENT,
    FORM_FOUND,
    FORM_REPEATED,  /* which of them is meant? */
    FORM_MALFORMED, /* a '%' without its two digits, or a NUL, in a name or in the value */
    FORM_MEMORY
};

/* Find a field, decoded; with FORM_FOUND the caller frees *value. */
enum form_answer form_find(const char *body, size_t body_len, const char *name, char **value);

/* Whether a Content-Type is that of such a body, whatever its parameters. */
bool form_is_type(const char *content_type, size_t len);

#endif
