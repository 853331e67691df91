/* SPDX-License-Identifier: Apache-2.0 */
#include "ticket_keys_state.h"

#include "moment.h"

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { NAME_TEXT_BYTES = 2 * JTG_TICKET_NAME_BYTES + 1 };

const char *ticket_key_phase(const jtg_ticket_keys_state *state, const jtg_ticket_key_info *key)
{
    if (key->is_sealing != 0)
        return "seals";
    if (state->now_ms < key->not_before_ms)
        return "next";
    return state->now_ms < key->decrypt_until_ms ? "opens" : "over";
}

bool ticket_keys_seal(const jtg_ticket_keys_state *state)
{
    for (uint32_t i = 0; i < state->key_count; i++)
        if (state->keys[i].is_sealing != 0)
            return true;
    return false;
}

static void write_name(const jtg_ticket_key_info *key, char text[NAME_TEXT_BYTES])
{
    (void)sodium_bin2hex(text, NAME_TEXT_BYTES, key->name, sizeof key->name);
}

/* ---- JSON ---- */

static bool add_moment(json_t *object, const char *member, int64_t ms)
{
    char text[MOMENT_TEXT_BYTES];
    moment_to_exact_text(ms, text);
    return json_object_set_new(object, member, json_string(text)) == 0;
}

static bool append_key(json_t *list, const jtg_ticket_keys_state *state,
                       const jtg_ticket_key_info *key)
{
    char name[NAME_TEXT_BYTES];
    write_name(key, name);
    json_t *object = json_pack("{s:s, s:s}", "name", name, "phase", ticket_key_phase(state, key));
    bool good = object != NULL && add_moment(object, "published", key->published_ms) &&
                add_moment(object, "not_before", key->not_before_ms) &&
                add_moment(object, "encrypt_until", key->encrypt_until_ms) &&
                add_moment(object, "decrypt_until", key->decrypt_until_ms) &&
                json_array_append(list, object) == 0;
    json_decref(object);
    return good;
}

static json_t *to_json(const jtg_ticket_keys_state *state)
{
    json_t *list = json_array();
    json_t *object = json_pack("{s:I, s:b}", "version", (json_int_t)state->version, "seals",
                               (int)ticket_keys_seal(state));
    bool good = list != NULL && object != NULL && add_moment(object, "now", state->now_ms);
    for (uint32_t i = 0; good && i < state->key_count; i++)
        good = append_key(list, state, &state->keys[i]);
    if (good && json_object_set(object, "keys", list) == 0) {
        json_decref(list);
        return object;
    }
    json_decref(list);
    json_decref(object);
    return NULL;
}

static bool print_json(const jtg_ticket_keys_state *state)
{
    json_t *object = to_json(state);
    bool good = object != NULL && json_dumpf(object, stdout, JSON_COMPACT) == 0;
    json_decref(object);
    return good && putchar('\n') != EOF;
}

/* ---- text ---- */

static bool print_key(const jtg_ticket_keys_state *state, const jtg_ticket_key_info *key)
{
    char name[NAME_TEXT_BYTES];
    char not_before[MOMENT_TEXT_BYTES];
    char decrypt_until[MOMENT_TEXT_BYTES];
    write_name(key, name);
    moment_to_exact_text(key->not_before_ms, not_before);
    moment_to_exact_text(key->decrypt_until_ms, decrypt_until);
    return printf("%s %-5s from %s, opens until %s\n", name, ticket_key_phase(state, key),
                  not_before, decrypt_until) > 0;
}

bool ticket_keys_state_print(const jtg_ticket_keys_state *state, bool json)
{
    char now[MOMENT_TEXT_BYTES];
    if (json)
        return print_json(state);
    moment_to_exact_text(state->now_ms, now);
    bool good = printf("version %" PRIu64 ", %u %s, at %s%s\n", state->version,
                       (unsigned)state->key_count, state->key_count == 1 ? "key" : "keys", now,
                       ticket_keys_seal(state) ? "" : ", none seals yet or any more") > 0;
    for (uint32_t i = 0; good && i < state->key_count; i++)
        good = print_key(state, &state->keys[i]);
    return good;
}
