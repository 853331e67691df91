/* SPDX-License-Identifier: Apache-2.0 */
/* Several scripted servers that name one another: Sentinels and a primary, or the nodes of a
 * Cluster. In a script "@0", "@1" … stand for the ports of the servers, five digits each. */
#ifndef TESTS_REDIS_SCRIPTED_GROUP_H
#define TESTS_REDIS_SCRIPTED_GROUP_H

#include "support/asserts.h"
#include "support/script_words.h"

#include <jtiguard/redis.h>

enum { GROUP_SERVERS_MAX = 4, GROUP_STEPS_MAX = 96 };

struct scripted_group {
    unsigned count;
    struct scripted_server servers[GROUP_SERVERS_MAX];
    struct script_step steps[GROUP_SERVERS_MAX][GROUP_STEPS_MAX];
    char *texts[GROUP_SERVERS_MAX][GROUP_STEPS_MAX];
    jtg_cache *cache;
    jtg_owner owner;
    jtg_error err;
    int64_t took_ms; /* by the last call */
};

#define GROUP_SCRIPT(...)   ((const struct script_step[]){__VA_ARGS__})
#define GROUP_COUNT_OF(...) (sizeof(GROUP_SCRIPT(__VA_ARGS__)) / sizeof(struct script_step))

/* All listen; none follows a script yet. */
void group_listen(struct scripted_group *group, unsigned count);

/* Server `number` follows this script. */
#define group_follow(group, number, ...)                                                           \
    group_follow_steps(group, number, GROUP_SCRIPT(__VA_ARGS__), GROUP_COUNT_OF(__VA_ARGS__))
void group_follow_steps(struct scripted_group *group, unsigned number,
                        const struct script_step *steps, size_t count);

/* A cache on the servers that `list` names, as "127.0.0.1:@0,…". It watches no continuity, so that
 * a script is about its topology alone. options: NULL, or to start from. */
void group_open_sentinels(struct scripted_group *group, const char *list,
                          const jtg_redis_options *options);
void group_open_cluster(struct scripted_group *group, const char *list,
                        const jtg_redis_options *options);

/* One that watches it. */
void group_open_watched_cluster(struct scripted_group *group, const char *list);

jtg_status group_reserve(struct scripted_group *group, const char *key);
jtg_status group_reserve_kept(struct scripted_group *group, const char *key, int64_t kept_since_ms);
jtg_redis_stats group_stats(const struct scripted_group *group);

/* Free the cache; every script must have gone as written. */
void group_close(struct scripted_group *group);

/* clang-format off: one line a word */
/* A command in a batch of its own: with the seal behind it. */
#define EXPECT(words)                                                                              \
    {SCRIPT_EXPECT, words, 0},                                                                     \
    {                                                                                              \
        SCRIPT_EXPECT_SEAL, NULL, 0                                                                \
    }
#define EXPECT_PLAIN(words)                                                                        \
    {                                                                                              \
        SCRIPT_EXPECT_ASIDE, words, 0                                                              \
    }
#define GREET(info)                                                                                \
    ACCEPT, EXPECT_PLAIN("INFO"),                                                                  \
    {                                                                                              \
        SCRIPT_SEND_INFO, info, 0                                                                  \
    }
#define SET_OK EXPECT("SET"), SEND("+OK\r\n"), SEAL
/* clang-format on */

#endif
