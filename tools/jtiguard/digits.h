/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers as people, headers and addresses write them: digits alone, no sign, no blank,
 * nothing too large that wraps round. Leading zeros change nothing. The library has the same for
 * itself (core/digits.h); the tool sees its public headers only. */
#ifndef TOOL_DIGITS_H
#define TOOL_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The digits that a text begins with; *text is behind them. False, and nothing is changed, without
 * one or when the number is above the highest. */
bool digits_take(const char **text, const char *end, uint64_t highest, uint64_t *number);

/* A text that is nothing else. text need not end with NUL. */
bool digits_read(const char *text, size_t len, uint64_t highest, uint64_t *number);

#endif
