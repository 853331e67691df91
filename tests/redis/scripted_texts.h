/* SPDX-License-Identifier: Apache-2.0 */
/* Words to and from a server, as the tests of lib/redis write and read them. */
#ifndef TESTS_REDIS_SCRIPTED_TEXTS_H
#define TESTS_REDIS_SCRIPTED_TEXTS_H

#include <stddef.h>

/* Of the last few that were asked for: a text as a bulk string, and what a server says to a
 * handshake of INFO and PING. */
const char *scripted_bulk(const char *text);
const char *scripted_greeting(const char *info);

/* A word of a command and a blank, behind what is there already; as much as finds room. A byte that
 * is not text is "?", and a script, sent whole or by its digest, is its name. */
void scripted_add_word(char *words, size_t size, const char *word, size_t len);

#endif
