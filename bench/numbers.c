/* SPDX-License-Identifier: Apache-2.0 */
#include "numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A plain decimal number within a range, up to a given end. Anything else is an error: what
 * strtoull takes beyond that (signs, spaces) would hide a slip. */
static bool parse_up_to(const char *text, char end, uint64_t min, uint64_t max, uint64_t *number,
                        const char **rest)
{
    if (*text < '0' || *text > '9')
        return false;
    char *stop = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &stop, 10);
    if (errno != 0 || value < min || value > max || (*stop != '\0' && *stop != end))
        return false;
    *number = value;
    *rest = stop;
    return true;
}

bool bench_number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    const char *rest = text;
    return parse_up_to(text, '\0', min, max, number, &rest);
}

bool bench_fraction_parse(const char *text, double min, double max, double *number)
{
    if (*text == '\0' || *text == '.' || strspn(text, "0123456789.") != strlen(text))
        return false;
    char *stop = NULL;
    double value = strtod(text, &stop);
    if (*stop != '\0' || value < min || value > max)
        return false;
    *number = value;
    return true;
}

bool bench_list_parse(const char *text, unsigned max, struct bench_list *list)
{
    list->count = 0;
    for (;;) {
        uint64_t number = 0;
        if (list->count == BENCH_LIST_MAX || !parse_up_to(text, ',', 1, max, &number, &text))
            return false;
        list->values[list->count++] = (unsigned)number;
        if (*text == '\0')
            return true;
        text++;
    }
}
