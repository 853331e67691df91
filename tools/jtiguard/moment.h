/* SPDX-License-Identifier: Apache-2.0 */
/* Moments and durations as people and documents write them. */
#ifndef TOOL_MOMENT_H
#define TOOL_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An RFC 3339 date-time, e.g. 2026-11-20T12:00:00Z, 2026-11-20T13:00:00.250+01:00. Both letters
 * are capitals; a fraction beyond milliseconds is cut; second 60 is refused. */
bool moment_from_rfc3339(const char *text, size_t text_len, int64_t *ms);

/* Seconds since 1970, whole and not negative, or an RFC 3339 date-time. */
bool moment_from_text(const char *text, int64_t *ms);

enum { MOMENT_TEXT_BYTES = 32 };

/* RFC 3339 in UTC with milliseconds; "unknown" for a moment outside the years 1970 to 9999. */
void moment_to_exact_text(int64_t ms, char text[MOMENT_TEXT_BYTES]);

/* A NumericDate (RFC 7519 section 2). A fraction of a millisecond is rounded down. A number out
 * of any range becomes a moment that the guard refuses as unreasonable, never "absent". */
int64_t moment_from_seconds(double seconds);

/* In RFC 3339, whole seconds, rounded up; a moment out of its range becomes the nearest one in it.
 */
void moment_to_text(int64_t ms, char text[MOMENT_TEXT_BYTES]);

/* A whole number and its unit (ms, s, m, h, d) that make whole seconds: 30s, 5m, 2000ms. A bare
 * number is refused: nobody can tell what it means. */
bool duration_from_text(const char *text, uint64_t *seconds);

enum { MOMENT_DURATION_BYTES = 24 };

/* The same way back, in the largest unit that is whole. */
void duration_to_text(uint64_t seconds, char text[MOMENT_DURATION_BYTES]);

#endif
