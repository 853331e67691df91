/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces that a URI is made of. No I/O, no locks. */
#ifndef JTGI_REDIS_URI_TEXT_H
#define JTGI_REDIS_URI_TEXT_H

#include <jtiguard/status.h>
#include <stdbool.h>
#include <stdint.h>

/* Returns: JTG_ERR_ARGUMENT. The problem, a text of ours, is all that is said: any part of the URI
 * may be the password in the wrong place. */
jtg_status jtgi_uri_refuse(jtg_error *err, const char *problem);

/* In place; false for a broken escape, or one that means NUL. */
bool jtgi_uri_decode(char *text);

/* Cut at the first separator; NULL when there is none. */
char *jtgi_uri_cut(char *text, char separator);

bool jtgi_uri_number(const char *text, uint32_t highest, uint32_t *number);

/* A number with its unit, "300ms" or "2s"; a bare number says too little. */
bool jtgi_uri_duration(char *text, uint32_t *ms);

/* Whole seconds, "30s"; "0s" may mean none. */
bool jtgi_uri_seconds(char *text, uint32_t highest, uint32_t *s);

#endif
