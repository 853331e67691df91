/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

void assert_range(uintmax_t value, uintmax_t least, uintmax_t most, const char *what,
                  const char *file, int line)
{
    if (value >= least && value <= most)
        return;
    print_error("%s\n  is %" PRIuMAX ", not between %" PRIuMAX " and %" PRIuMAX "\n", what, value,
                least, most);
    _fail(file, line);
}

void assert_same_status(jtg_status got, jtg_status expected, const char *what, const char *file,
                        int line)
{
    if (got == expected)
        return;
    print_error("%s\n  answered %s, not %s\n", what, jtg_status_name(got),
                jtg_status_name(expected));
    _fail(file, line);
}

void assert_err(const jtg_error *err, jtg_status status, const char *file, int line)
{
    bool ends = memchr(err->text, '\0', sizeof err->text) != NULL;
    bool told = ends && (err->text[0] != '\0') == (status != JTG_OK);
    bool one_line = ends && strpbrk(err->text, "\r\n\t") == NULL;
    if (err->status == status && told && one_line && (status != JTG_OK || err->system_errno == 0))
        return;
    print_error("after %s err holds %s \"%.*s\"\n", jtg_status_name(status),
                jtg_status_name(err->status), (int)sizeof err->text - 1, err->text);
    _fail(file, line);
}
