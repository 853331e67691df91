/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers can make the token stores read: the text of a break-glass token, a record that
 * somebody wrote into the shared store, the fields of a first flight. The first byte chooses.
 * Nothing may crash or leak, no text or record opens the door, no flight is accepted twice. Linked
 * with libFuzzer, or with fuzz_main.c where there is none. */
#include "tokens/breakglass/breakglass_record.h"

#include <jtiguard/anti_replay.h>
#include <jtiguard/breakglass.h>
#include <jtiguard/memory.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

#define NOW_MS INT64_C(1795176000000)

static jtg_cache *cache;
static jtg_breakglass *breakglass;
static jtg_anti_replay *anti_replay[JTG_ANTI_REPLAY_CLIENT_RANDOM + 1];
static char token[JTG_BREAKGLASS_TEXT_BYTES];

static void expect(int is_so, const char *what)
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
    jtg_clock clock = {sizeof clock, NULL, now, now};
    jtg_memory_options memory = JTG_MEMORY_OPTIONS_INIT;
    jtg_breakglass_options options = JTG_BREAKGLASS_OPTIONS_INIT;
    memory.sweep_interval_ms = 0;
    memory.clock = &clock;
    options.clock = &clock;
    expect(jtg_memory_new(&cache, &memory, NULL) == JTG_OK, "cache");
    expect(jtg_breakglass_new(&breakglass, cache, &options, NULL) == JTG_OK, "breakglass");
    for (int mode = 0; mode <= JTG_ANTI_REPLAY_CLIENT_RANDOM; mode++) {
        jtg_anti_replay_options replay = JTG_ANTI_REPLAY_OPTIONS_INIT;
        replay.clock = &clock;
        replay.mode = (jtg_anti_replay_mode)mode;
        replay.start_rule = 0;
        expect(jtg_anti_replay_new(&anti_replay[mode], cache, &replay, NULL) == JTG_OK, "replay");
    }
}

static void issue(void)
{
    expect(jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_REPLACE, token, NULL, NULL) == JTG_OK,
           "cannot issue");
}

static void show(const char *text, size_t text_len)
{
    issue();
    expect(jtg_breakglass_lookup(breakglass, text, text_len, NULL, NULL) == JTG_NOT_FOUND,
           "a text opens the door");
    expect(jtg_breakglass_delete(breakglass, text, text_len, NULL) == JTG_NOT_FOUND,
           "a text ends the token");
}

/* Somebody who can write to the store, and has seen the record: what they put there may end the
 * token, and nothing else. */
static void plant(const uint8_t *data, size_t data_len)
{
    static const jtg_key place = {"jtg:bg1:default", 15, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    unsigned char bytes[JTGI_BREAKGLASS_RECORD_BYTES + 8];
    char other[JTG_BREAKGLASS_TEXT_BYTES];
    issue();
    expect(jtg_cache_get(cache, &place, &value, NULL) == JTG_OK, "no record");
    size_t len = data_len < sizeof bytes ? data_len : sizeof bytes;
    memset(bytes, 0, sizeof bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)(data[i] ^ (i < value.data_len ? value.data[i] : 0));
    int same = len == value.data_len && memcmp(bytes, value.data, len) == 0;
    jtg_value_clear(&value);
    if (len == 0)
        return;
    expect(jtg_cache_put(cache, &place, bytes, len, JTG_TTL_MAX_MS, 1, NULL) == JTG_OK, "put");
    jtg_status status = jtg_breakglass_lookup(breakglass, token, strlen(token), NULL, NULL);
    expect(same == (status == JTG_OK), "a record that was written by another opens the door");
    status = jtg_breakglass_status(breakglass, NULL, NULL);
    expect(status == JTG_OK || (!same && (status == JTG_NOT_FOUND || status == JTG_ERR_PROTOCOL)),
           "status");
    status = jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_IF_NONE, other, NULL, NULL);
    expect(status == JTG_MISMATCH || (!same && (status == JTG_OK || status == JTG_ERR_PROTOCOL)),
           "an active token is replaced");
    status = jtg_breakglass_delete(breakglass, token, strlen(token), NULL);
    expect(same == (status == JTG_OK), "delete");
    expect(jtg_breakglass_clear(breakglass, NULL) == JTG_OK, "cannot clear");
}

static uint64_t take(const uint8_t **data, size_t *data_len, size_t size)
{
    uint64_t number = 0;
    for (; size > 0 && *data_len > 0; size--, ++*data, --*data_len)
        number = number << 8 | **data;
    return number;
}

static void arrive(const uint8_t *data, size_t data_len)
{
    jtg_flight flight = JTG_FLIGHT_INIT;
    int mode = (int)(take(&data, &data_len, 1) % (JTG_ANTI_REPLAY_CLIENT_RANDOM + 1));
    int near_now = (int)take(&data, &data_len, 1) & 1;
    uint64_t issued = take(&data, &data_len, near_now ? 3 : 8);
    flight.issued_ms = near_now ? NOW_MS - (int64_t)issued : (int64_t)issued;
    flight.lifetime_ms = take(&data, &data_len, near_now ? 4 : 8);
    flight.age_ms = take(&data, &data_len, near_now ? 3 : 8);
    flight.rtt_ms = take(&data, &data_len, near_now ? 1 : 8);
    flight.ticket = flight.binder = flight.client_random = data;
    flight.ticket_len = flight.binder_len = flight.client_random_len = data_len;
    bool first = jtg_anti_replay_accept(anti_replay[mode], &flight, NULL, NULL);
    bool second = jtg_anti_replay_accept(anti_replay[mode], &flight, NULL, NULL);
    expect(!second, "a flight is accepted twice");
    if (first)
        expect(jtg_cache_clear(cache, NULL) == JTG_OK, "cannot clear");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len)
{
    if (cache == NULL)
        set_up();
    if (data_len == 0)
        return 0;
    switch (data[0] % 3) {
    case 0:
        show((const char *)data + 1, data_len - 1);
        break;
    case 1:
        plant(data + 1, data_len - 1);
        break;
    default:
        arrive(data + 1, data_len - 1);
    }
    return 0;
}
