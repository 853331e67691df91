/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/scripted_group.h"

#include "support/stalls.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TIMEOUT_MS = 3000, SLACK_MS = 300, TTL_MS = 60000 };

void group_listen(struct scripted_group *group, unsigned count)
{
    memset(group, 0, sizeof *group);
    group->count = count;
    jtg_owner_generate(&group->owner);
    for (unsigned i = 0; i < count; i++) {
        scripted_server_listen(&group->servers[i]);
        assert_true(group->servers[i].port >= 10000);
    }
}

static bool is_port_mark(const char *text)
{
    return text[0] == '@' && (isdigit((unsigned char)text[1]) != 0 || text[1] == '=');
}

/* A mark has two letters, a port five. `own` is whose script it is. */
static char *with_ports(const struct scripted_group *group, unsigned own, const char *text)
{
    size_t size = strlen(text) * 3 + 1;
    char *made = malloc(size);
    size_t len = 0;
    assert_non_null(made);
    for (; *text != '\0'; text++) {
        if (!is_port_mark(text)) {
            made[len++] = *text;
            continue;
        }
        text++;
        unsigned number = *text == '=' ? own : (unsigned)(*text - '0');
        len +=
            (size_t)snprintf(made + len, size - len, "%u", (unsigned)group->servers[number].port);
    }
    made[len] = '\0';
    return made;
}

void group_follow_steps(struct scripted_group *group, unsigned number,
                        const struct script_step *steps, size_t count)
{
    assert_true(count <= GROUP_STEPS_MAX);
    memcpy(group->steps[number], steps, count * sizeof *steps);
    for (size_t i = 0; i < count; i++) {
        if (steps[i].text == NULL || steps[i].act == SCRIPT_SEND_BYTES)
            continue;
        group->texts[number][i] = with_ports(group, number, steps[i].text);
        group->steps[number][i].text = group->texts[number][i];
    }
    scripted_server_follow(&group->servers[number], group->steps[number], count);
}

static jtg_redis_options start_from(const jtg_redis_options *options)
{
    jtg_redis_options defaults = JTG_REDIS_OPTIONS_INIT;
    defaults.timeout_ms = TIMEOUT_MS;
    if (options != NULL)
        defaults = *options;
    defaults.continuity = 0;
    return defaults;
}

void group_open_sentinels(struct scripted_group *group, const char *list,
                          const jtg_redis_options *options)
{
    jtg_redis_options own = start_from(options);
    char *named = with_ports(group, 0, list);
    own.sentinels = named;
    own.sentinel_primary = "main";
    assert_status(jtg_redis_new(&group->cache, &own, &group->err), JTG_OK);
    free(named);
}

static void open_cluster(struct scripted_group *group, const char *list, jtg_redis_options *own)
{
    char *named = with_ports(group, 0, list);
    own->cluster_nodes = named;
    assert_status(jtg_redis_new(&group->cache, own, &group->err), JTG_OK);
    free(named);
}

void group_open_cluster(struct scripted_group *group, const char *list,
                        const jtg_redis_options *options)
{
    jtg_redis_options own = start_from(options);
    open_cluster(group, list, &own);
}

void group_open_watched_cluster(struct scripted_group *group, const char *list)
{
    jtg_redis_options own = start_from(NULL);
    own.continuity = 1;
    open_cluster(group, list, &own);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

jtg_status group_reserve(struct scripted_group *group, const char *key)
{
    return group_reserve_kept(group, key, INT64_MAX);
}

jtg_status group_reserve_kept(struct scripted_group *group, const char *key, int64_t kept_since_ms)
{
    jtg_key wanted = {key, strlen(key), NULL, 0};
    jtg_error fresh = JTG_ERROR_INIT;
    group->err = fresh;
    struct stalls stalls;
    stalls_begin(&stalls);
    int64_t start = now_ms();
    jtg_status status =
        kept_since_ms == INT64_MAX
            ? jtg_cache_reserve(group->cache, &wanted, &group->owner, TTL_MS, &group->err)
            : jtg_cache_reserve_kept(group->cache, &wanted, &group->owner, TTL_MS, kept_since_ms,
                                     &group->err);
    group->took_ms = now_ms() - start;
    assert_true(group->took_ms <= TIMEOUT_MS + SLACK_MS + stalls_end_ms(&stalls));
    return status;
}

jtg_redis_stats group_stats(const struct scripted_group *group)
{
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_redis_stats_get(group->cache, &stats, NULL), JTG_OK);
    return stats;
}

void group_close(struct scripted_group *group)
{
    jtg_cache_free(group->cache);
    for (unsigned i = 0; i < group->count; i++) {
        const char *failure = scripted_server_end(&group->servers[i]);
        if (failure != NULL)
            fail_msg("server %u: %s", i, failure);
        for (unsigned step = 0; step < GROUP_STEPS_MAX; step++)
            free(group->texts[i][step]);
    }
}
