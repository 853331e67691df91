/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/scripted_texts.h"

#include "redis/say/resp/scripts.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TEXTS = 16, TEXT_BYTES = 1024 };

static char *next_place(void)
{
    static char made[TEXTS][TEXT_BYTES];
    static unsigned next;
    return made[next++ % TEXTS];
}

const char *scripted_bulk(const char *text)
{
    char *place = next_place();
    (void)snprintf(place, TEXT_BYTES, "$%zu\r\n%s\r\n", strlen(text), text);
    return place;
}

const char *scripted_greeting(const char *info)
{
    char *place = next_place();
    (void)snprintf(place, TEXT_BYTES, "$%zu\r\n%s\r\n$8\r\njtiguard\r\n", strlen(info), info);
    return place;
}

static bool is(const char *word, size_t len, const char *text)
{
    return len == strlen(text) && memcmp(word, text, len) == 0;
}

static const char *name_of(const char *word, size_t len)
{
    static const char *const names[JTGI_SCRIPT_COUNT] = {
        [JTGI_SCRIPT_HOLD] = "hold",   [JTGI_SCRIPT_RELEASE] = "release",
        [JTGI_SCRIPT_SHARE] = "share", [JTGI_SCRIPT_UNSHARE] = "unshare",
        [JTGI_SCRIPT_MARK] = "mark",   [JTGI_SCRIPT_LOWER] = "lower",
        [JTGI_SCRIPT_RAISE] = "raise", [JTGI_SCRIPT_PUT] = "put",
        [JTGI_SCRIPT_GET] = "get",     [JTGI_SCRIPT_TAKE] = "take",
        [JTGI_SCRIPT_SWAP] = "swap",   [JTGI_SCRIPT_DROP] = "drop",
        [JTGI_SCRIPT_BITS] = "bits",
    };
    for (enum jtgi_script script = JTGI_SCRIPT_HOLD; script < JTGI_SCRIPT_COUNT; script++)
        if (is(word, len, jtgi_script_sha1(script)) || is(word, len, jtgi_script_text(script)))
            return names[script];
    return NULL;
}

void scripted_add_word(char *words, size_t size, const char *word, size_t len)
{
    const char *name = name_of(word, len);
    size_t at = strlen(words);
    if (name != NULL) {
        word = name;
        len = strlen(name);
    }
    for (size_t i = 0; i < len && at + 2 < size; i++)
        words[at++] = (char)(isprint((unsigned char)word[i]) ? word[i] : '?');
    if (at + 2 <= size)
        words[at++] = ' ';
    words[at] = '\0';
}
