/* SPDX-License-Identifier: Apache-2.0 */
#include "digits.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool digits_take(const char **text, const char *end, uint64_t highest, uint64_t *number)
{
    uint64_t value = 0;
    const char *at = *text;
    for (; at < end && is_digit(*at); at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (digit > highest || value > (highest - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at == *text)
        return false;
    *text = at;
    *number = value;
    return true;
}

bool digits_read(const char *text, size_t len, uint64_t highest, uint64_t *number)
{
    const char *at = text;
    uint64_t value = 0;
    if (!digits_take(&at, text + len, highest, &value) || at != text + len)
        return false;
    *number = value;
    return true;
}
