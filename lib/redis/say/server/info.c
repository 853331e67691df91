/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/server/info.h"

#include "core/digits.h"

#include <string.h>

/* A piece of the text; not ended by NUL. */
struct span {
    const char *at;
    size_t len;
};

static bool span_is(struct span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

/* The value of the one line "name:value". None, or more than one, is no value: an answer that
 * contradicts itself says nothing. */
static bool find(struct span info, const char *name, struct span *value)
{
    bool found = false;
    const char *end = info.at + info.len;
    for (const char *line = info.at; line < end;) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        const char *next = line_end == NULL ? end : line_end + 1;
        const char *stop = line_end == NULL ? end : line_end;
        if (stop > line && stop[-1] == '\r')
            stop--;
        const char *colon = memchr(line, ':', (size_t)(stop - line));
        struct span field = {line, colon == NULL ? 0 : (size_t)(colon - line)};
        if (colon != NULL && span_is(field, name)) {
            if (found)
                return false;
            found = true;
            value->at = colon + 1;
            value->len = (size_t)(stop - colon) - 1;
        }
        line = next;
    }
    return found;
}

static void read_text(struct span info, const char *name, char *text, size_t size)
{
    struct span value;
    text[0] = '\0';
    if (!find(info, name, &value) || value.len == 0 || value.len >= size)
        return;
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] < 0x21 || value.at[i] > 0x7e)
            return;
    memcpy(text, value.at, value.len);
    text[value.len] = '\0';
}

static uint64_t read_number(struct span info, const char *name)
{
    struct span value;
    uint64_t number = 0;
    bool stated = find(info, name, &value) &&
                  jtgi_digits_read(value.at, value.len, JTG_REDIS_UNSTATED - 1, &number);
    return stated ? number : JTG_REDIS_UNSTATED;
}

static void read_clock(jtg_redis_server *server, struct span info, int64_t our_wall_ms)
{
    uint64_t server_us = read_number(info, "server_time_usec");
    server->clock_offset_known = server_us != JTG_REDIS_UNSTATED;
    server->clock_offset_ms =
        server->clock_offset_known ? (int64_t)(server_us / 1000) - our_wall_ms : 0;
}

/* Valkey and Redict state their own version beside the Redis version that they are compatible with,
 * and each says its mode in a field of its own. */
static const struct {
    const char *software;
    const char *version;
    const char *mode;
} families[] = {{"valkey", "valkey_version", "server_mode"},
                {"redict", "redict_version", "redict_mode"},
                {"redis", "redis_version", "redis_mode"}};
enum { FAMILIES = sizeof families / sizeof families[0] };

static void read_software(jtg_redis_server *server, struct span info)
{
    server->software[0] = '\0';
    for (size_t i = 0; i < FAMILIES && server->software[0] == '\0'; i++) {
        read_text(info, families[i].version, server->version, sizeof server->version);
        if (server->version[0] != '\0')
            memcpy(server->software, families[i].software, strlen(families[i].software) + 1);
    }
}

/* A Valkey that poses as a Redis (extended-redis-compatibility) says redis_mode. */
static void read_mode(jtg_redis_server *server, struct span info)
{
    server->mode[0] = '\0';
    for (size_t i = FAMILIES; i > 0 && server->mode[0] == '\0'; i--)
        read_text(info, families[i - 1].mode, server->mode, sizeof server->mode);
}

static void read_persistence(jtg_redis_server *server, struct span info)
{
    struct span value;
    server->aof_enabled = read_number(info, "aof_enabled");
    server->rdb_last_save_s = read_number(info, "rdb_last_save_time");
    server->rdb_last_save_ok = JTG_REDIS_UNSTATED;
    if (find(info, "rdb_last_bgsave_status", &value))
        server->rdb_last_save_ok = span_is(value, "ok");
}

void jtgi_info_read(jtg_redis_server *server, const char *text, size_t text_len,
                    int64_t our_wall_ms)
{
    struct span info = {text, text_len};
    read_software(server, info);
    read_mode(server, info);
    read_text(info, "role", server->role, sizeof server->role);
    read_text(info, "run_id", server->run_id, sizeof server->run_id);
    read_text(info, "master_replid", server->replication_id, sizeof server->replication_id);
    read_text(info, "maxmemory_policy", server->policy, sizeof server->policy);
    server->loading = read_number(info, "loading");
    server->maxmemory_bytes = read_number(info, "maxmemory");
    server->used_memory_bytes = read_number(info, "used_memory");
    server->evicted_keys = read_number(info, "evicted_keys");
    server->uptime_s = read_number(info, "uptime_in_seconds");
    server->connected_replicas = read_number(info, "connected_slaves");
    server->waitaof = JTG_REDIS_UNSTATED;
    read_persistence(server, info);
    read_clock(server, info, our_wall_ms);
}

bool jtgi_info_says(const char *text, size_t text_len, const char *name, const char *value)
{
    struct span info = {text, text_len};
    struct span found;
    return find(info, name, &found) && span_is(found, value);
}
