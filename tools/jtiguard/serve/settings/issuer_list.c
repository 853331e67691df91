/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/issuer_list.h"

#include "moment.h"
#include "serve/settings/header_name.h"
#include "serve/settings/list_value.h"
#include "serve/verify/entries.h"
#include "serve/verify/fetch.h"

#include <stdlib.h>
#include <string.h>

enum reading {
    READ_TEXT,
    READ_LIST,
    READ_KIND,
    READ_SECONDS,
    READ_FILE,
    READ_URL,
    READ_DISCOVERY,
    READ_HEADERS
};

/* What an entry may hold. */
struct member {
    const char *name;
    enum reading reading;
    size_t offset; /* in struct issuer_settings */
};

#define AT(member) offsetof(struct issuer_settings, member)

static const struct member members[] = {
    {"issuer", READ_TEXT, AT(issuer)},
    {"tenant", READ_LIST, AT(tenants)},
    {"trust_domain", READ_TEXT, AT(trust_domain)},
    {"audience", READ_LIST, AT(audiences)},
    {"kind", READ_KIND, 0},
    {"custom_kind", READ_TEXT, AT(custom_kind)},
    {"jwks_file", READ_FILE, AT(keys_at)},
    {"jwks_url", READ_URL, AT(keys_at)},
    {"discovery_url", READ_DISCOVERY, AT(keys_at)},
    {"jwks_token_file", READ_TEXT, AT(keys_token_file)},
    {"jwks_ca_file", READ_TEXT, AT(keys_ca_file)},
    {"alg", READ_LIST, AT(algs)},
    {"typ", READ_LIST, AT(typs)},
    {"scope", READ_LIST, AT(scopes)},
    {"client", READ_TEXT, AT(client)},
    {"jti_claim", READ_TEXT, AT(jti_claim)},
    {"life_without_exp", READ_SECONDS, AT(life_without_exp_s)},
    {"max_lifetime", READ_SECONDS, AT(max_lifetime_s)},
    {"max_age", READ_SECONDS, AT(max_age_s)},
    {"claim_header", READ_HEADERS, 0},
};

static const struct member *find_member(const char *name)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    return NULL;
}

static const char *read_text(const json_t *value, const char **place)
{
    if (!json_is_string(value) || json_string_length(value) == 0 ||
        strlen(json_string_value(value)) != json_string_length(value))
        return "wants a text that is not empty";
    *place = json_string_value(value);
    return NULL;
}

/* A workload's token is an ID token to the guard, which keeps both under one kind. */
static const char *read_kind(const json_t *value, struct issuer_settings *entry)
{
    const char *name = json_is_string(value) ? json_string_value(value) : "";
    entry->is_workload = strcmp(name, "workload") == 0;
    entry->kind = entry->is_workload ? JTG_KIND_ID_TOKEN : jtg_kind_from_name(name);
    return entry_has_kind(entry)
               ? NULL
               : "wants id_token, workload, client_assertion, dpop_proof, logout_token or custom";
}

static const char *read_seconds(const json_t *value, uint32_t *seconds)
{
    uint64_t number = 0;
    if (!json_is_string(value) || !duration_from_text(json_string_value(value), &number) ||
        number == 0 || number > JTG_MAX_LIFETIME_S_LIMIT)
        return "wants a duration of 1s to 31d with its unit, e.g. 30s, 5m, 24h";
    *seconds = (uint32_t)number;
    return NULL;
}

static const char *read_keys(const json_t *value, enum keys_from from,
                             struct issuer_settings *entry)
{
    if (entry->keys_at != NULL)
        return "does not go with another of jwks_file, jwks_url and discovery_url";
    entry->keys_from = from;
    return read_text(value, &entry->keys_at);
}

/* Room for what all entries may ask for at most. */
struct room {
    struct claim_header *header;
    char *text;
};

static const char *read_header(const char *text, struct room *room)
{
    size_t claim_len = strcspn(text, "=");
    const char *name = text + claim_len + 1;
    if (claim_len == 0 || text[claim_len] == '\0' || !is_header_name(name))
        return "wants CLAIM=NAME with the name of a header";
    if (is_reserved_header(name))
        return "names a header that is the service's own";
    size_t len = strlen(text) + 1;
    memcpy(room->text, text, len);
    room->text[claim_len] = '\0';
    *room->header++ = (struct claim_header){room->text, room->text + claim_len + 1};
    room->text += len;
    return NULL;
}

static const char *read_headers(const json_t *value, struct issuer_settings *entry,
                                struct room *room)
{
    struct text_list texts = {NULL, 0};
    const char *wrong = text_list_read(&texts, value);
    entry->headers = room->header;
    for (size_t i = 0; i < texts.count && wrong == NULL; i++, entry->header_count++)
        wrong = read_header(texts.items[i], room);
    text_list_clear(&texts);
    return wrong;
}

static const char *read_member(const struct member *member, const json_t *value,
                               struct issuer_settings *entry, struct room *room)
{
    void *place = (char *)entry + member->offset;
    switch (member->reading) {
    case READ_TEXT:
        return read_text(value, place);
    case READ_LIST:
        return text_list_read(place, value);
    case READ_KIND:
        return read_kind(value, entry);
    case READ_SECONDS:
        return read_seconds(value, place);
    case READ_FILE:
        return read_keys(value, KEYS_FROM_FILE, entry);
    case READ_URL:
        return read_keys(value, KEYS_FROM_URL, entry);
    case READ_DISCOVERY:
        return read_keys(value, KEYS_FROM_DISCOVERY, entry);
    case READ_HEADERS:
        return read_headers(value, entry, room);
    }
    return "is not known";
}

static bool read_entry(struct issuer_settings *entry, size_t index, json_t *object,
                       struct room *room, struct settings_problem *problem)
{
    const char *name = NULL;
    json_t *value = NULL;
    entry->kind = JTG_KIND_ID_TOKEN;
    if (!json_is_object(object)) {
        settings_problem_set(problem, "issuers: entry %zu is no object", index);
        return false;
    }
    json_object_foreach(object, name, value)
    {
        const struct member *member = find_member(name);
        const char *wrong =
            member != NULL ? read_member(member, value, entry, room) : "is no member of an issuer";
        if (wrong != NULL) {
            settings_problem_set(problem, "issuers: entry %zu: %.60s %s", index, name, wrong);
            return false;
        }
    }
    return true;
}

static const char *find_gap(const struct issuer_settings *entry)
{
    if (entry->issuer == NULL && entry->trust_domain == NULL)
        return "needs issuer, or trust_domain";
    if (entry->audiences.count == 0)
        return "needs audience";
    if ((entry->kind == JTG_KIND_CUSTOM) != (entry->custom_kind != NULL))
        return "kind custom and custom_kind go together";
    return NULL;
}

/* How long the texts of all claim headers are at most: as long as the JSON is. */
static bool make_room(struct issuer_list *list, const json_t *entries, struct room *room)
{
    size_t bytes = json_dumpb(entries, NULL, 0, JSON_COMPACT) + 1;
    size_t count = json_array_size(entries);
    list->items = calloc(count + 1, sizeof *list->items);
    list->headers = calloc(count * VERIFY_LIST_LIMIT + 1, sizeof *list->headers);
    list->header_texts = malloc(bytes);
    *room = (struct room){list->headers, list->header_texts};
    return list->items != NULL && list->headers != NULL && list->header_texts != NULL;
}

bool issuer_list_read(struct issuer_list *list, const json_t *entries,
                      struct settings_problem *problem)
{
    struct room room;
    size_t count = json_array_size(entries);
    *list = (struct issuer_list){.count = 0};
    if (!json_is_array(entries) || count == 0 || count > VERIFY_ISSUERS_LIMIT) {
        settings_problem_set(problem, "issuers wants an array of 1 to 64 objects");
        return false;
    }
    if (!make_room(list, entries, &room)) {
        settings_problem_set(problem, "out of memory");
        return false;
    }
    for (; list->count < count; list->count++) {
        struct issuer_settings *entry = &list->items[list->count];
        if (!read_entry(entry, list->count, json_array_get(entries, list->count), &room, problem))
            return false;
        const char *gap = find_gap(entry);
        if (gap != NULL) {
            settings_problem_set(problem, "issuers: entry %zu: %s", list->count, gap);
            return false;
        }
    }
    return true;
}

void issuer_list_clear(struct issuer_list *list)
{
    /* The entry at which reading ended holds lists too, and is not counted. */
    for (size_t i = 0; list->items != NULL && i <= list->count; i++) {
        text_list_clear(&list->items[i].audiences);
        text_list_clear(&list->items[i].tenants);
        text_list_clear(&list->items[i].algs);
        text_list_clear(&list->items[i].typs);
        text_list_clear(&list->items[i].scopes);
    }
    free(list->items);
    free(list->headers);
    free(list->header_texts);
    *list = (struct issuer_list){.count = 0};
}

static void dump_list(json_t *object, const char *name, const struct text_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        (void)json_array_append_new(array, json_string(list->items[i]));
    if (list->count > 0)
        (void)json_object_set(object, name, array);
    json_decref(array);
}

static void dump_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL)
        (void)json_object_set_new(object, name, json_string(text));
}

/* A query may be a credential, as in the URL of a hosted function, and so may what stands before an
 * '@'. The blank keeps what is dumped from being taken for a URL. */
static void dump_place(json_t *object, const char *name, const char *url)
{
    char place[FETCH_PLACE_BYTES];
    if (url == NULL || strpbrk(url, "?@#") == NULL) {
        dump_text(object, name, url);
        return;
    }
    fetch_show(place, url);
    (void)json_object_set_new(
        object, name, json_sprintf("%s%s", place, strchr(url, '?') != NULL ? "?(not shown)" : ""));
}

static void dump_seconds(json_t *object, const char *name, uint32_t seconds)
{
    if (seconds > 0)
        (void)json_object_set_new(object, name, json_sprintf("%us", seconds));
}

static void dump_headers(json_t *object, const struct issuer_settings *entry)
{
    json_t *array = json_array();
    for (size_t i = 0; i < entry->header_count; i++)
        (void)json_array_append_new(
            array, json_sprintf("%s=%s", entry->headers[i].claim, entry->headers[i].header));
    if (entry->header_count > 0)
        (void)json_object_set(object, "claim_header", array);
    json_decref(array);
}

static json_t *dump_entry(const struct issuer_settings *entry)
{
    json_t *object = json_object();
    dump_text(object, "issuer", entry->issuer);
    dump_list(object, "tenant", &entry->tenants);
    dump_text(object, "trust_domain", entry->trust_domain);
    dump_list(object, "audience", &entry->audiences);
    dump_text(object, "kind", entry->is_workload ? "workload" : jtg_kind_name(entry->kind));
    dump_text(object, "custom_kind", entry->custom_kind);
    if (entry->keys_from == KEYS_FROM_FILE)
        dump_text(object, "jwks_file", entry->keys_at);
    else
        dump_place(object, entry->keys_from == KEYS_FROM_URL ? "jwks_url" : "discovery_url",
                   entry->keys_at);
    dump_text(object, "jwks_token_file", entry->keys_token_file);
    dump_text(object, "jwks_ca_file", entry->keys_ca_file);
    dump_list(object, "alg", &entry->algs);
    dump_list(object, "typ", &entry->typs);
    dump_list(object, "scope", &entry->scopes);
    dump_text(object, "client", entry->client);
    dump_text(object, "jti_claim", entry->jti_claim);
    dump_seconds(object, "life_without_exp", entry->life_without_exp_s);
    dump_seconds(object, "max_lifetime", entry->max_lifetime_s);
    dump_seconds(object, "max_age", entry->max_age_s);
    dump_headers(object, entry);
    return object;
}

json_t *issuer_list_dump(const struct issuer_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        (void)json_array_append_new(array, dump_entry(&list->items[i]));
    return array;
}
