/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers can show as a challenge. Nothing may crash or leak; what is read is written again
 * as the same text; and none passes but the one that was issued, once. Linked with libFuzzer, or
 * with fuzz_main.c where there is none. */
#include "tokens/challenges/challenge_text.h"

#include <jtiguard/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

#define NOW_MS INT64_C(1795176000000)

static const struct jtgi_challenge_scope scope = {"default", 7, "fuzz", 4};
static struct jtgi_challenge_key key;
static jtg_cache *cache;
static jtg_challenges *challenges;
static jtg_challenge issued;
static bool used;

static void expect(bool is_so, const char *what)
{
    if (is_so)
        return;
    (void)fprintf(stderr, "broken: %s\n", what);
    abort();
}

static int64_t now(void *context)
{
    (void)context;
    return NOW_MS;
}

static void set_up(void)
{
    static const unsigned char secret[JTG_CHALLENGE_SECRET_BYTES] = "of the fuzzer";
    jtg_clock clock = {sizeof clock, NULL, now, now};
    jtg_memory_options memory = JTG_MEMORY_OPTIONS_INIT;
    jtg_challenges_options options = JTG_CHALLENGES_OPTIONS_INIT;
    memory.sweep_interval_ms = 0;
    memory.clock = &clock;
    options.clock = &clock;
    options.secret = secret;
    expect(jtg_memory_new(&cache, &memory, NULL) == JTG_OK, "cache");
    expect(jtg_challenges_new(&challenges, cache, &options, NULL) == JTG_OK, "challenges");
    expect(jtg_challenges_issue(challenges, "fuzz", 4, 0, &issued, 1, NULL) == JTG_OK, "issue");
    jtgi_challenge_key_set(&key, secret);
}

static void look(const char *text, size_t len)
{
    struct jtgi_challenge_shown shown;
    char again[JTG_CHALLENGE_TEXT_BYTES];
    if (!jtgi_challenge_read(&shown, text, len))
        return;
    jtgi_challenge_write(&shown.challenge, &key, &scope, again);
    bool same = memcmp(again, text, len) == 0;
    expect(same == (memcmp(shown.challenge.key_id, key.id, sizeof key.id) == 0 &&
                    jtgi_challenge_is_of(&shown, &key, &scope)),
           "a text of ours is written in one way");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len)
{
    if (challenges == NULL)
        set_up();
    const char *text = (const char *)data;
    look(text, data_len);
    bool right =
        data_len == JTG_CHALLENGE_TEXT_BYTES - 1 && memcmp(text, issued.text, data_len) == 0;
    jtg_status status = jtg_challenges_consume(challenges, "fuzz", 4, text, data_len, NULL);
    if (right && !used)
        expect(status == JTG_OK, "the right one passes");
    else
        expect(status != JTG_OK, "no other passes");
    used = used || right;
    return 0;
}
