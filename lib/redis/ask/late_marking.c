/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/ask/late_marking.h"

#include "core/clock.h"

#include <inttypes.h>
#include <jtiguard/status.h>
#include <stdio.h>
#include <string.h>

/* Run a script on the marker; it answers what the marker is now. */
static jtg_status run(struct jtgi_request *request, enum jtgi_script script,
                      const struct jtgi_stored_key *key, const struct jtgi_word_list *words,
                      struct jtgi_marker *marker)
{
    redisReply *reply = NULL;
    enum jtgi_fate fate = jtgi_request_script(request, script, key, words, &reply);
    if (fate != JTGI_FATE_ANSWERED)
        return fate == JTGI_FATE_UNKNOWN ? JTG_ERR_UNAVAILABLE : request->err->status;
    jtg_status status = JTG_OK;
    if (reply->type != REDIS_REPLY_STRING || !jtgi_marker_read(marker, reply->str, reply->len))
        status = jtgi_request_reject(request, reply, JTG_ERR_UNAVAILABLE);
    freeReplyObject(reply);
    return status;
}

static jtg_status write(struct jtgi_request *request, const struct jtgi_identity *identity,
                        const struct jtgi_stored_key *key, struct jtgi_marker *marker)
{
    char whom[JTGI_IDENTITY_TEXT_BYTES];
    char epoch[JTGI_EPOCH_TEXT_BYTES];
    char nonce[JTGI_NONCE_TEXT_BYTES];
    struct jtgi_word_list words = {.count = 0};
    jtgi_identity_format(identity, whom);
    jtgi_epoch_format(identity->epoch, epoch);
    jtgi_nonce_format(jtgi_nonce_new(), nonce);
    jtgi_words_add(&words, whom, strlen(whom));
    jtgi_words_add(&words, epoch, strlen(epoch));
    jtgi_words_add(&words, nonce, strlen(nonce));
    return run(request, JTGI_SCRIPT_MARK, key, &words, marker);
}

static jtg_status lower(struct jtgi_request *request, const struct jtgi_stored_key *key,
                        struct jtgi_marker *marker)
{
    char nonce[JTGI_NONCE_TEXT_BYTES];
    char now[24];
    struct jtgi_word_list words = {.count = 0};
    int64_t now_ms = jtgi_clock_wall_ms(&request->route->shared->config.clock) + 1;
    jtgi_nonce_format(marker->nonce, nonce);
    int len = snprintf(now, sizeof now, "%" PRId64, now_ms);
    jtgi_words_add(&words, nonce, strlen(nonce));
    jtgi_words_add(&words, now, (size_t)len);
    jtgi_words_add(&words, "now", 3);
    return run(request, JTGI_SCRIPT_LOWER, key, &words, marker);
}

jtg_status jtgi_mark_late(const struct jtgi_request *request, uint16_t slot)
{
    struct jtgi_stored_key key = {.slot = slot};
    struct jtgi_marker marker = {.nonce = 0};
    struct jtgi_request own = {.route = request->route,
                               .slot = slot,
                               .deadline_ns = request->deadline_ns,
                               .err = request->err};
    key.len = jtgi_marker_key(&request->route->shared->watch.keys, slot, key.bytes);
    jtg_status status = write(&own, &request->answer.identity, &key, &marker);
    if (status == JTG_OK && marker.since_ms == JTGI_SINCE_PENDING)
        status = lower(&own, &key, &marker);
    if (status == JTG_OK)
        jtgi_nodes_mark_anew(&request->route->nodes, request->answered_by);
    return status;
}
