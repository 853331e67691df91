/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/issuer_json.h"

#include "serve/verify/strict_json.h"

#include <stdbool.h>
#include <string.h>

static bool begins_with(const char *text, size_t text_len, const char *start)
{
    size_t start_len = strlen(start);
    return text_len >= start_len && memcmp(text, start, start_len) == 0;
}

/* We ask for no compression, and a server that compresses all the same is set up wrongly. */
static const char *explain(enum json_fault fault, const char *text, size_t text_len)
{
    switch (fault) {
    case JSON_FAULT_NONE:
        return NULL;
    case JSON_FAULT_SYNTAX:
        if (begins_with(text, text_len, "\x1f\x8b"))
            return "it is compressed, which was not asked for";
        return text_len == 0 ? "it is empty" : "it is no JSON object";
    case JSON_FAULT_TOO_DEEP:
        return "it is nested too deeply";
    case JSON_FAULT_DUPLICATE:
        return "a member name stands twice in it";
    case JSON_FAULT_NUMBER:
        return "a number in it is too big";
    case JSON_FAULT_MEMORY:
        break;
    }
    return "out of memory";
}

json_t *issuer_json_read(const char *text, size_t text_len, const char **why)
{
    static const char mark[] = "\xef\xbb\xbf";
    json_t *root = NULL;
    if (begins_with(text, text_len, mark)) {
        text += sizeof mark - 1;
        text_len -= sizeof mark - 1;
    }
    enum json_fault fault = strict_json_read(&root, text, text_len);
    *why = explain(fault, text, text_len);
    return root;
}
