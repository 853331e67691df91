/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of strangers: one object, no member name twice, no NUL, valid UTF-8, no number that does
 * not fit, nothing after the object, and not nested deeper than anybody needs. */
#ifndef SERVE_STRICT_JSON_H
#define SERVE_STRICT_JSON_H

#include <jansson.h>
#include <stddef.h>

enum json_fault {
    JSON_FAULT_NONE,
    JSON_FAULT_SYNTAX, /* also: no object, a NUL, no UTF-8 */
    JSON_FAULT_TOO_DEEP,
    JSON_FAULT_DUPLICATE,
    JSON_FAULT_NUMBER,
    JSON_FAULT_MEMORY
};

enum { STRICT_JSON_MAX_DEPTH = 16 };

/* *root is NULL unless JSON_FAULT_NONE; the caller's to json_decref(). */
enum json_fault strict_json_read(json_t **root, const char *text, size_t text_len);

/* The same, and the byte at which reading stopped, unless JSON_FAULT_NONE or JSON_FAULT_TOO_DEEP.
 */
enum json_fault strict_json_read_at(json_t **root, const char *text, size_t text_len,
                                    size_t *stopped_at);

#endif
