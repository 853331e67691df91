/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/scripted_answers.h"

#include "redis/line/deadline.h"

#include <jtiguard/backend.h>
#include <stdio.h>
#include <string.h>

struct scripted_answers scripted;

static void open_with(const jtg_redis_options *options, const char *nodes)
{
    jtg_redis_options chosen = JTG_REDIS_OPTIONS_INIT;
    memset(&scripted, 0, sizeof scripted);
    if (options != NULL)
        chosen = *options;
    chosen.timeout_ms = JTG_REDIS_TIMEOUT_MS_LIMIT; /* however slow we are */
    chosen.prefix = chosen.prefix == NULL ? "t:" : chosen.prefix;
    chosen.cluster_nodes = nodes;
    chosen.port = nodes == NULL ? 1 : chosen.port;
    memset(scripted.owner.bytes, 'o', sizeof scripted.owner.bytes);
    assert_status(jtg_redis_new(&scripted.cache, &chosen, &scripted.err), JTG_OK);
    scripted.redis = (struct jtgi_redis *)(void *)scripted.cache;
}

void scripted_answers_open(const jtg_redis_options *options)
{
    open_with(options, NULL);
}

static void add_primary(struct jtgi_slot_map *map, uint32_t port, unsigned first, unsigned last)
{
    assert_true(jtgi_address_set(&map->primaries[map->count++].address, "127.0.0.1", 9, port));
    for (unsigned slot = first; slot <= last; slot++)
        map->owners[slot] = (uint8_t)map->count;
}

void scripted_answers_open_cluster(const jtg_redis_options *options)
{
    static struct jtgi_slot_map map; /* too large for a stack */
    open_with(options, "127.0.0.1:1");
    memset(&map, 0, sizeof map);
    add_primary(&map, 1, 0, JTGI_SLOTS / 2 - 1);
    add_primary(&map, 2, JTGI_SLOTS / 2, JTGI_SLOTS - 1);
    assert_status(jtgi_nodes_adopt(&scripted.redis->route.nodes, &map, NULL), JTG_OK);
    scripted.redis->route.cluster.ended_ns = jtgi_now_ns() + 3600 * JTGI_NS_PER_S;
}

void scripted_answers_follow(const struct scripted_answer *list, size_t count)
{
    scripted.list = list;
    scripted.count = count;
    scripted.asked = 0;
}

void scripted_answers_done(void)
{
    if (scripted.asked < scripted.count)
        fail_msg("not asked: %s", scripted.list[scripted.asked].expects);
}

void scripted_answers_close(void)
{
    scripted_answers_done();
    jtg_cache_free(scripted.cache);
}

static jtg_status reserve(const char *key, bool kept, int64_t kept_since_ms)
{
    jtg_key wanted = {key, strlen(key), NULL, 0};
    return kept ? jtg_cache_reserve_kept(scripted.cache, &wanted, &scripted.owner, 60000,
                                         kept_since_ms, &scripted.err)
                : jtg_cache_reserve(scripted.cache, &wanted, &scripted.owner, 60000, &scripted.err);
}

jtg_status scripted_answers_reserve(const char *key)
{
    return reserve(key, false, 0);
}

jtg_status scripted_answers_reserve_kept(const char *key, int64_t kept_since_ms)
{
    return reserve(key, true, kept_since_ms);
}

jtg_redis_stats scripted_answers_stats(void)
{
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_redis_stats_get(scripted.cache, &stats, NULL), JTG_OK);
    return stats;
}

/* ---- in place of the pipelines ---- */

static redisReply *parse(const char *text, size_t len)
{
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    assert_non_null(reader);
    assert_int_equal(redisReaderFeed(reader, text, len), REDIS_OK);
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    redisReaderFree(reader);
    assert_non_null(reply);
    return reply;
}

static void note_words(struct scripted_question *asked, const struct jtgi_question *question)
{
    redisReply *command = parse(question->bytes, question->len);
    asked->words[0] = '\0';
    for (size_t i = 0; i < command->elements; i++)
        scripted_add_word(asked->words, sizeof asked->words, command->element[i]->str,
                          command->element[i]->len);
    freeReplyObject(command);
}

static void note(struct jtgi_node *node, const struct jtgi_question *question)
{
    struct scripted_question *asked = &scripted.questions[scripted.asked];
    struct jtgi_address address;
    note_words(asked, question);
    asked->question = *question;
    asked->question.bytes = NULL;
    jtgi_node_address(node, &address);
    jtgi_address_format(&address, asked->at, sizeof asked->at);
    if (scripted.asked == scripted.count)
        fail_msg("asked beyond the script: %s", asked->words);
    const char *expects = scripted.list[scripted.asked].expects;
    if (strncmp(asked->words, expects, strlen(expects)) != 0)
        fail_msg("asked: %s, in place of %s", asked->words, expects);
}

static enum jtgi_fate say_failure(const struct scripted_answer *given, struct jtgi_node *node,
                                  jtg_error *err)
{
    jtg_status unsent = given->unsent == JTG_OK ? JTG_ERR_UNAVAILABLE : given->unsent;
    jtg_status status = given->fate == JTGI_FATE_UNKNOWN ? JTG_ERR_TIMEOUT : unsent;
    err->status = jtg_error_set(err, status, 0, "redis: as the script says");
    if (given->down)
        atomic_store(&node->health.down, true);
    return given->fate;
}

static void give(const struct scripted_answer *given, struct jtgi_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    answer->over = given->fate == JTGI_FATE_ANSWERED || given->ended;
    if (given->fate != JTGI_FATE_ANSWERED)
        return;
    if (given->reply != NULL)
        answer->reply = parse(given->reply, strlen(given->reply));
    answer->confirmed = !given->unconfirmed;
    answer->sight = given->sight;
    answer->since_ms = given->since_ms;
    if (given->refusal != NULL)
        answer->refusal = jtgi_error_row_of(given->refusal, strlen(given->refusal));
}

enum jtgi_fate __wrap_jtgi_pipeline_call(struct jtgi_pipeline *pipeline,
                                         struct jtgi_exchange *first, int64_t deadline_ns,
                                         jtg_error *err);

/* Of several that go out together the script says the same fate. */
enum jtgi_fate __wrap_jtgi_pipeline_call(struct jtgi_pipeline *pipeline,
                                         struct jtgi_exchange *first, int64_t deadline_ns,
                                         jtg_error *err)
{
    const struct scripted_answer *given = scripted.list;
    scripted.calls++;
    for (struct jtgi_exchange *at = first; at != NULL; at = at->next) {
        note(pipeline->hooks.context, &at->question);
        scripted.questions[scripted.asked].call = scripted.calls;
        scripted.questions[scripted.asked].deadline_ns = deadline_ns;
        given = &scripted.list[scripted.asked++];
        give(given, at->answer);
    }
    return given->fate == JTGI_FATE_ANSWERED ? given->fate
                                             : say_failure(given, pipeline->hooks.context, err);
}
