/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka, and what these tests assert most. */
#ifndef TESTS_SUPPORT_ASSERTS_H
#define TESTS_SUPPORT_ASSERTS_H

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jtiguard/status.h>

/* cmocka 2 warns of its own, and its successor is not in cmocka 1. As there, all three are compared
 * without a sign: what is below 0 is out of range. Each is evaluated once. */
#undef assert_in_range
#define assert_in_range(value, least, most)                                                        \
    assert_range((uintmax_t)(value), (uintmax_t)(least), (uintmax_t)(most), #value, __FILE__,      \
                 __LINE__)

void assert_range(uintmax_t value, uintmax_t least, uintmax_t most, const char *what,
                  const char *file, int line);

/* As assert_int_equal, but a failure names both statuses. The call is evaluated once. */
#define assert_status(call, expected)                                                              \
    assert_same_status((call), (expected), #call, __FILE__, __LINE__)

void assert_same_status(jtg_status got, jtg_status expected, const char *what, const char *file,
                        int line);

/* err says what the call answered: empty after JTG_OK, one line of text after anything else. */
#define assert_err_tells(err, status) assert_err((err), (status), __FILE__, __LINE__)

void assert_err(const jtg_error *err, jtg_status status, const char *file, int line);

#endif
