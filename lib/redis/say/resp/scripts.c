/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/resp/scripts.h"

#include "redis_script_texts.h"

#define TEXT(name, text, sha1) [JTGI_SCRIPT_##name] = (text),
#define SHA1(name, text, sha1) [JTGI_SCRIPT_##name] = (sha1),
static const char *const texts[JTGI_SCRIPT_COUNT] = {JTGI_SCRIPT_TEXTS(TEXT)};
static const char *const digests[JTGI_SCRIPT_COUNT] = {JTGI_SCRIPT_TEXTS(SHA1)};

const char *jtgi_script_text(enum jtgi_script script)
{
    return texts[script];
}

const char *jtgi_script_sha1(enum jtgi_script script)
{
    return digests[script];
}
