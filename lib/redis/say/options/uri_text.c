/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/options/uri_text.h"

#include "core/digits.h"

#include <jtiguard/redis.h>
#include <jtiguard/status.h>
#include <string.h>

jtg_status jtgi_uri_refuse(jtg_error *err, const char *problem)
{
    return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "store URI: %s", problem);
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool jtgi_uri_decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        int high = hex_value(from[1]);
        int low = high < 0 ? -1 : hex_value(from[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    return true;
}

char *jtgi_uri_cut(char *text, char separator)
{
    char *at = strchr(text, separator);
    if (at == NULL)
        return NULL;
    *at = '\0';
    return at + 1;
}

bool jtgi_uri_number(const char *text, uint32_t highest, uint32_t *number)
{
    uint64_t value = 0;
    if (!jtgi_digits_read(text, strlen(text), highest, &value))
        return false;
    *number = (uint32_t)value;
    return true;
}

bool jtgi_uri_duration(char *text, uint32_t *ms)
{
    size_t digits = strspn(text, "0123456789");
    bool seconds = strcmp(text + digits, "s") == 0;
    if (!seconds && strcmp(text + digits, "ms") != 0)
        return false;
    text[digits] = '\0';
    if (!jtgi_uri_number(
            text, seconds ? JTG_REDIS_TIMEOUT_MS_LIMIT / 1000 : JTG_REDIS_TIMEOUT_MS_LIMIT, ms) ||
        *ms == 0)
        return false;
    if (seconds)
        *ms *= 1000;
    return true;
}

bool jtgi_uri_seconds(char *text, uint32_t highest, uint32_t *s)
{
    size_t digits = strspn(text, "0123456789");
    if (strcmp(text + digits, "s") != 0)
        return false;
    text[digits] = '\0';
    return jtgi_uri_number(text, highest, s);
}
