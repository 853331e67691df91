/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/http/form.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FORM_TYPE "application/x-www-form-urlencoded"

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One letter, of which *at is moved to the last one. -1: none. */
static int decode_one(const char *text, size_t text_len, size_t *at)
{
    if (text[*at] == '+')
        return ' ';
    if (text[*at] != '%')
        return (unsigned char)text[*at];
    int high = *at + 2 < text_len ? digit_of(text[*at + 1]) : -1;
    int low = *at + 2 < text_len ? digit_of(text[*at + 2]) : -1;
    *at += 2;
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* NUL-terminated, and none within. */
static enum form_answer decode(const char *text, size_t text_len, char **decoded)
{
    size_t len = 0;
    char *out = malloc(text_len + 1);
    if (out == NULL)
        return FORM_MEMORY;
    for (size_t i = 0; i < text_len; i++) {
        int letter = decode_one(text, text_len, &i);
        if (letter <= 0) {
            free(out);
            return FORM_MALFORMED;
        }
        out[len++] = (char)letter;
    }
    out[len] = '\0';
    *decoded = out;
    return FORM_FOUND;
}

/* A pair, with the value behind the first '='. */
static enum form_answer take_pair(const char *pair, size_t pair_len, const char *name, char **value)
{
    const char *equals = memchr(pair, '=', pair_len);
    size_t name_len = equals != NULL ? (size_t)(equals - pair) : pair_len;
    char *decoded = NULL;
    enum form_answer answer = decode(pair, name_len, &decoded);
    bool is_it = answer == FORM_FOUND && strcmp(decoded, name) == 0;
    free(decoded);
    if (answer != FORM_FOUND)
        return answer;
    if (!is_it)
        return FORM_ABSENT;
    if (*value != NULL)
        return FORM_REPEATED;
    return equals != NULL ? decode(equals + 1, pair_len - name_len - 1, value)
                          : decode("", 0, value);
}

enum form_answer form_find(const char *body, size_t body_len, const char *name, char **value)
{
    enum form_answer answer = FORM_ABSENT;
    *value = NULL;
    for (size_t start = 0; start < body_len;) {
        const char *end = memchr(body + start, '&', body_len - start);
        size_t len = end != NULL ? (size_t)(end - body) - start : body_len - start;
        answer = take_pair(body + start, len, name, value);
        if (answer != FORM_ABSENT && answer != FORM_FOUND) {
            free(*value);
            *value = NULL;
            return answer;
        }
        start += len + 1;
    }
    return *value != NULL ? FORM_FOUND : FORM_ABSENT;
}

bool form_is_type(const char *content_type, size_t len)
{
    static const char type[] = FORM_TYPE;
    if (len < sizeof type - 1 || strncasecmp(content_type, type, sizeof type - 1) != 0)
        return false;
    return len == sizeof type - 1 || content_type[sizeof type - 1] == ';' ||
           content_type[sizeof type - 1] == ' ';
}
