/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/options/uri.h"
#include "redis/say/options/uri_text.h"

#include <jtiguard/status.h>
#include <string.h>

enum kind { KIND_TEXT, KIND_NUMBER, KIND_COUNT, KIND_DURATION, KIND_SECONDS, KIND_FLAG, KIND_KEYS };

struct query_key {
    const char *name;
    size_t offset; /* of the option */
    enum kind kind;
    uint32_t highest;
};

#define OPTION(member) offsetof(jtg_redis_options, member)
static const struct query_key query_keys[] = {
    {"timeout", OPTION(timeout_ms), KIND_DURATION, 0},
    {"connect_timeout", OPTION(connect_timeout_ms), KIND_DURATION, 0},
    {"prefix", OPTION(prefix), KIND_TEXT, 0},
    {"keys", 0, KIND_KEYS, 0},
    {"keepalive", OPTION(keepalive_s), KIND_SECONDS, JTG_REDIS_KEEPALIVE_S_LIMIT},
    {"max_age", OPTION(max_age_s), KIND_SECONDS, JTG_REDIS_MAX_AGE_S_LIMIT},
    {"connections", OPTION(connections), KIND_NUMBER, JTG_REDIS_CONNECTIONS_LIMIT},
    {"db", OPTION(database), KIND_NUMBER, JTG_REDIS_DATABASE_LIMIT},
    {"ca", OPTION(tls_ca_file), KIND_TEXT, 0},
    {"cert", OPTION(tls_cert_file), KIND_TEXT, 0},
    {"key", OPTION(tls_key_file), KIND_TEXT, 0},
    {"server_name", OPTION(tls_server_name), KIND_TEXT, 0},
    {"client_name", OPTION(client_name), KIND_TEXT, 0},
    {"password_file", OPTION(password_file), KIND_TEXT, 0},
    {"allow_eviction", OPTION(allow_eviction), KIND_FLAG, 0},
    {"continuity", OPTION(continuity), KIND_FLAG, 0},
    {"fsync", OPTION(fsync), KIND_FLAG, 0},
    {"replicas", OPTION(replicas), KIND_NUMBER, JTG_REDIS_REPLICAS_LIMIT},
    {"issuer_share", OPTION(max_entries_per_group), KIND_COUNT, JTG_REDIS_ENTRIES_PER_GROUP_LIMIT},
    {"replicas_timeout", OPTION(replicas_timeout_ms), KIND_DURATION, 0},
    {"address_map", OPTION(address_map), KIND_TEXT, 0},
    {"sentinel_user", OPTION(sentinel_user), KIND_TEXT, 0},
    {"sentinel_password_file", OPTION(sentinel_password_file), KIND_TEXT, 0},
    {"sentinel_tls", OPTION(sentinel_tls), KIND_FLAG, 0},
};

enum { QUERY_KEYS = sizeof query_keys / sizeof query_keys[0] };

static bool read_keys(struct jtg_redis_uri *uri, const char *text)
{
    if (strcmp(text, "digest") == 0)
        uri->keys = JTG_REDIS_KEYS_DIGEST;
    else if (strcmp(text, "plain") == 0)
        uri->keys = JTG_REDIS_KEYS_PLAIN;
    return uri->keys != JTG_REDIS_KEYS_UNSET;
}

static bool read_flag(const char *text, uint32_t *flag)
{
    *flag = strcmp(text, "yes") == 0;
    return *flag == 1 || strcmp(text, "no") == 0;
}

static bool read_count(const char *text, uint32_t highest, unsigned char *option)
{
    uint32_t number = 0;
    bool good = jtgi_uri_number(text, highest, &number);
    uint64_t count = number;
    memcpy(option, &count, sizeof count);
    return good;
}

static bool read_value(struct jtg_redis_uri *uri, const struct query_key *key, char *text)
{
    unsigned char *option = (unsigned char *)&uri->options + key->offset;
    uint32_t number = 0;
    bool good = false;
    if (key->kind == KIND_KEYS)
        return read_keys(uri, text);
    if (key->kind == KIND_TEXT) {
        memcpy(option, &text, sizeof text);
        return true;
    }
    if (key->kind == KIND_COUNT)
        return read_count(text, key->highest, option);
    if (key->kind == KIND_NUMBER)
        good = jtgi_uri_number(text, key->highest, &number);
    else if (key->kind == KIND_DURATION)
        good = jtgi_uri_duration(text, &number);
    else if (key->kind == KIND_SECONDS)
        good = jtgi_uri_seconds(text, key->highest, &number);
    else
        good = read_flag(text, &number);
    memcpy(option, &number, sizeof number);
    return good;
}

static const struct query_key *find_key(const char *name)
{
    for (size_t i = 0; i < QUERY_KEYS; i++)
        if (strcmp(query_keys[i].name, name) == 0)
            return &query_keys[i];
    return NULL;
}

static jtg_status read_pair(struct jtg_redis_uri *uri, char *pair, bool seen[QUERY_KEYS],
                            jtg_error *err)
{
    char *value = jtgi_uri_cut(pair, '=');
    const struct query_key *key = find_key(pair);
    if (key == NULL)
        return jtgi_uri_refuse(err, "a query key is not known");
    bool *again = &seen[key - query_keys];
    const char *problem = NULL;
    if (*again)
        problem = "is given twice";
    else if (value == NULL || *value == '\0')
        problem = "has no value";
    else if (!jtgi_uri_decode(value) || !read_value(uri, key, value))
        problem = "has a value that is not understood or out of its range";
    *again = true;
    if (problem != NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "store URI: %s %s", key->name, problem);
    return JTG_OK;
}

jtg_status jtgi_uri_read_query(struct jtg_redis_uri *uri, char *query, jtg_error *err)
{
    bool seen[QUERY_KEYS] = {false};
    jtg_status status = JTG_OK;
    seen[find_key("db") - query_keys] = uri->has_database;
    while (query != NULL && status == JTG_OK) {
        char *next = jtgi_uri_cut(query, '&');
        status = read_pair(uri, query, seen, err);
        query = next;
    }
    return status;
}
