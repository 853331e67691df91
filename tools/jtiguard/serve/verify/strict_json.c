/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/strict_json.h"

#include <stdbool.h>

/* The parser recurses, and allows 2048 levels; here a thousand brackets cost one pass over them.
 * What a string is, is settled as the parser settles it, so that no bracket counts twice. */
static bool is_too_deep(const char *text, size_t text_len)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text_len; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '[') && ++depth > STRICT_JSON_MAX_DEPTH)
            return true;
        else if (!in_string && (c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return false;
}

static enum json_fault fault_of(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        return JSON_FAULT_MEMORY;
    case json_error_stack_overflow:
        return JSON_FAULT_TOO_DEEP;
    case json_error_duplicate_key:
        return JSON_FAULT_DUPLICATE;
    case json_error_numeric_overflow:
        return JSON_FAULT_NUMBER;
    default:
        return JSON_FAULT_SYNTAX;
    }
}

enum json_fault strict_json_read_at(json_t **root, const char *text, size_t text_len,
                                    size_t *stopped_at)
{
    json_error_t error;
    *root = NULL;
    *stopped_at = 0;
    if (is_too_deep(text, text_len))
        return JSON_FAULT_TOO_DEEP;
    *root = json_loadb(text, text_len, JSON_REJECT_DUPLICATES, &error);
    if (*root == NULL) {
        *stopped_at = error.position > 0 ? (size_t)error.position : 0;
        return fault_of(&error);
    }
    if (json_is_object(*root))
        return JSON_FAULT_NONE;
    json_decref(*root);
    *root = NULL;
    return JSON_FAULT_SYNTAX;
}

enum json_fault strict_json_read(json_t **root, const char *text, size_t text_len)
{
    size_t stopped_at = 0;
    return strict_json_read_at(root, text, text_len, &stopped_at);
}
