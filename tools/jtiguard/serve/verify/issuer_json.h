/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON that issuers publish, read as strictly as that of strangers, but for a byte order mark,
 * which some editors and frameworks put in front and which changes nothing. */
#ifndef SERVE_ISSUER_JSON_H
#define SERVE_ISSUER_JSON_H

#include <jansson.h>
#include <stddef.h>

/* The object; NULL: *why says what it is instead, static. */
json_t *issuer_json_read(const char *text, size_t text_len, const char **why);

#endif
