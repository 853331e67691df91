/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/ask/request.h"

#include "redis/flow/counts.h"
#include "redis/line/deadline.h"
#include "redis/line/link.h"

#include <jtiguard/status.h>
#include <string.h>

/* Times that one operation is sent at most: each of them needs a server that took a connection
 * and lost it again. */
enum { SENDS_MAX = 4 };

/* Redirects that one operation follows: more are a Cluster that disagrees with itself. */
enum { REDIRECTS_MAX = 5 };

#define PAUSE_NS (10 * JTGI_NS_PER_MS)

void jtgi_request_init(struct jtgi_request *request, struct jtgi_route *route, uint32_t timeout_ms,
                       jtg_error *err)
{
    memset(request, 0, sizeof *request);
    request->route = route;
    request->deadline_ns = jtgi_deadline_in_ms(timeout_ms);
    request->err = err;
}

void jtgi_request_aim(struct jtgi_request *request, const struct jtgi_stored_key *key)
{
    request->slot = key->slot;
}

static bool has_time(const struct jtgi_request *request)
{
    return jtgi_now_ns() < request->deadline_ns;
}

/* What the row of an error reply says is next; STOP for any other reply. */
static enum jtgi_error_next next_of(const redisReply *reply)
{
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    return row == NULL ? JTGI_NEXT_STOP : row->next;
}

/* Not nanosleep(): a thread that is cancelled ends after the call, not in it. */
static void pause_a_moment(const struct jtgi_request *request)
{
    jtgi_word nothing = 0;
    int64_t until = jtgi_now_ns() + PAUSE_NS;
    jtgi_word_wait(&nothing, 0, until < request->deadline_ns ? until : request->deadline_ns);
}

static void refuse(const struct jtgi_request *request, jtg_status status, const char *text)
{
    request->err->status = jtg_error_set(request->err, status, 0, "redis: %s", text);
}

/* ---- the way to the node that holds the key ---- */

/* What one question has gone through. */
struct journey {
    struct jtgi_node *node;   /* that is asked now; held, but for the caller's own */
    struct jtgi_node *detour; /* that ASK named: the next question goes there; held */
    bool asking;              /* and has to say so */
    uint16_t detour_slot;     /* one of that node's own */
    unsigned sends;
    unsigned redirects;
};

static void leave_node(const struct jtgi_request *request, struct journey *journey)
{
    if (journey->node != request->node)
        jtgi_nodes_let_go(&request->route->nodes, journey->node);
    journey->node = NULL;
}

static struct jtgi_node *find_node(struct jtgi_request *request, struct journey *journey)
{
    struct jtgi_node *node = journey->detour;
    journey->asking = node != NULL;
    journey->detour = NULL;
    if (node == NULL)
        node = request->node;
    if (node == NULL)
        node =
            jtgi_route_at_slot(request->route, request->slot, request->deadline_ns, request->err);
    return node;
}

/* A slot that is being moved lies on two nodes: what is needed must have been kept on both. On the
 * old one the slot's marker says so, as long as it is there; on the new one that of another slot,
 * for one must not be made in a slot that is on its way. */
static bool may_detour(struct jtgi_request *request, struct journey *journey)
{
    journey->detour_slot = request->slot;
    if (!request->watched || request->kept_since_ms == JTGI_KEPT_ANY)
        return true;
    return request->answer.sight == JTGI_SIGHT_KEPT &&
           request->answer.since_ms <= request->kept_since_ms &&
           jtgi_nodes_marked_slot(&request->route->nodes, journey->detour, &journey->detour_slot);
}

static bool follow_redirect(struct jtgi_request *request, struct journey *journey,
                            const redisReply *reply, bool for_once)
{
    struct jtgi_redirect redirect;
    struct jtgi_address asked;
    jtgi_node_address(journey->node, &asked);
    if (request->node != NULL || !jtgi_route_has_redirects(request->route) ||
        ++journey->redirects > REDIRECTS_MAX ||
        !jtgi_redirect_read(&redirect, reply->str, reply->len, &asked) ||
        redirect.slot != request->slot)
        return false;
    jtgi_counters_add(request->route->shared->counters, JTGI_COUNT_REDIRECTS);
    if (!for_once)
        return jtgi_route_moved(request->route, &redirect, request->deadline_ns);
    journey->detour = jtgi_nodes_at_address(&request->route->nodes, &redirect.address);
    if (journey->detour == NULL || may_detour(request, journey))
        return journey->detour != NULL;
    jtgi_nodes_let_go(&request->route->nodes, journey->detour);
    journey->detour = NULL;
    return false;
}

/* Another may serve in its place, now or in a moment. */
static bool reroute(struct jtgi_request *request, const struct journey *journey, bool answered)
{
    const struct jtgi_stop stop = {journey->node, request->slot, answered, request->node != NULL};
    enum jtgi_onward onward = jtgi_route_after(request->route, &stop, request->deadline_ns);
    if (onward == JTGI_ONWARD_PAUSE)
        pause_a_moment(request);
    return onward != JTGI_ONWARD_STOP;
}

/* It answered with an error that may be worth another question. */
static bool go_on_answered(struct jtgi_request *request, struct journey *journey,
                           const redisReply *reply)
{
    switch (next_of(reply)) {
    case JTGI_NEXT_PAUSE:
        pause_a_moment(request);
        return true;
    case JTGI_NEXT_REROUTE:
        return reroute(request, journey, true);
    case JTGI_NEXT_MOVED:
        return follow_redirect(request, journey, reply, false);
    case JTGI_NEXT_ASK:
        return follow_redirect(request, journey, reply, true);
    default:
        return false;
    }
}

/* Nothing was sent. */
static bool go_on_unsent(struct jtgi_request *request, struct journey *journey)
{
    if (request->err->status != JTG_ERR_UNAVAILABLE)
        return false;
    if (!atomic_load(&journey->node->health.down))
        return true;
    return reroute(request, journey, false);
}

static bool go_on(struct jtgi_request *request, struct journey *journey, enum jtgi_fate fate,
                  const redisReply *reply)
{
    if (fate == JTGI_FATE_UNKNOWN || !has_time(request))
        return false;
    if (fate == JTGI_FATE_ANSWERED && reply == NULL) /* left out */
        return false;
    bool again = fate == JTGI_FATE_ANSWERED ? go_on_answered(request, journey, reply)
                                            : go_on_unsent(request, journey);
    return again && ++journey->sends < SENDS_MAX + journey->redirects && has_time(request);
}

/* What is asked of the node that the journey has come to. */
static struct jtgi_question question_of(struct jtgi_request *request, const struct journey *journey,
                                        const struct jtgi_command *command)
{
    const struct jtgi_question question = {.bytes = command->bytes,
                                           .len = command->len,
                                           .asking = journey->asking,
                                           .repeatable = request->repeatable,
                                           .writes = request->writes,
                                           .watched = request->watched,
                                           .slot = journey->asking ? journey->detour_slot
                                                                   : request->slot,
                                           .kept_since_ms = request->kept_since_ms};
    request->answered_by = journey->node->serial;
    request->detoured = journey->asking;
    return question;
}

/* May it go out at all? */
static bool may_send(struct jtgi_request *request, const struct jtgi_command *command)
{
    if (command->failed)
        refuse(request, JTG_ERR_MEMORY, "no memory for a command");
    /* A second question must not go out when nobody has time for its answer: leaving it unread
     * costs all the others their connection. */
    else if (!has_time(request))
        refuse(request, JTG_ERR_UNAVAILABLE, "no time was left to send it");
    else
        return true;
    return false;
}

enum jtgi_fate jtgi_request_send(struct jtgi_request *request, const struct jtgi_command *command,
                                 redisReply **reply)
{
    struct journey journey = {.sends = 0};
    enum jtgi_fate fate = JTGI_FATE_NOT_SENT;
    bool again = may_send(request, command);
    while (again && (journey.node = find_node(request, &journey)) != NULL) {
        const struct jtgi_question question = question_of(request, &journey, command);
        fate = jtgi_pipeline_call(jtgi_node_pipeline(journey.node), &question, request->deadline_ns,
                                  &request->answer, request->err);
        *reply = fate == JTGI_FATE_ANSWERED ? request->answer.reply : NULL;
        again = go_on(request, &journey, fate, *reply);
        leave_node(request, &journey);
        if (again) {
            if (*reply != NULL)
                freeReplyObject(*reply);
            *reply = NULL;
            fate = JTGI_FATE_NOT_SENT;
        }
    }
    jtgi_nodes_let_go(&request->route->nodes, journey.detour);
    return fate;
}

bool jtgi_request_may_repeat(const struct jtgi_request *request)
{
    if (!has_time(request))
        return false;
    jtgi_counters_add(request->route->shared->counters, JTGI_COUNT_ASKED_AGAIN);
    return true;
}

enum jtgi_fate jtgi_request_read(struct jtgi_request *request, const struct jtgi_command *command,
                                 redisReply **reply)
{
    request->repeatable = true;
    enum jtgi_fate fate = jtgi_request_send(request, command, reply);
    if (fate == JTGI_FATE_UNKNOWN && jtgi_request_may_repeat(request))
        fate = jtgi_request_send(request, command, reply);
    request->repeatable = false;
    return fate;
}

void jtgi_words_add(struct jtgi_word_list *list, const void *data, size_t len)
{
    list->words[list->count].data = data;
    list->words[list->count++].len = len;
}

static enum jtgi_fate send_script(struct jtgi_request *request, const char *verb,
                                  const char *script, const struct jtgi_stored_key *key,
                                  const struct jtgi_word_list *arguments, redisReply **reply)
{
    struct jtgi_command command;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 4 + arguments->count);
    jtgi_command_text(&command, verb);
    jtgi_command_text(&command, script);
    jtgi_command_number(&command, 1 + arguments->keys);
    jtgi_command_bytes(&command, key->bytes, key->len);
    for (size_t i = 0; i < arguments->count; i++)
        jtgi_command_bytes(&command, arguments->words[i].data, arguments->words[i].len);
    enum jtgi_fate fate = jtgi_request_send(request, &command, reply);
    jtgi_command_clear(&command);
    return fate;
}

enum jtgi_fate jtgi_request_script(struct jtgi_request *request, enum jtgi_script script,
                                   const struct jtgi_stored_key *key,
                                   const struct jtgi_word_list *arguments, redisReply **reply)
{
    enum jtgi_fate fate =
        send_script(request, "EVALSHA", jtgi_script_sha1(script), key, arguments, reply);
    if (fate != JTGI_FATE_ANSWERED || *reply == NULL) /* none, or left out */
        return fate;
    const struct jtgi_error_row *row = jtgi_reply_error(*reply);
    if (row == NULL || row->class != JTGI_CLASS_SCRIPT)
        return fate;
    freeReplyObject(*reply);
    return send_script(request, "EVAL", jtgi_script_text(script), key, arguments, reply);
}

bool jtgi_request_is_confirmed(const struct jtgi_request *request)
{
    return !request->writes || request->answer.confirmed;
}

jtg_status jtgi_request_say_unconfirmed(const struct jtgi_request *request)
{
    jtgi_counters_add(request->route->shared->counters, JTGI_COUNT_TOO_FEW_REPLICAS);
    return jtg_error_set(request->err, JTG_ERR_REPLICAS, 0,
                         "redis: done, but too few replicas confirmed it in time");
}

/* In a Cluster, and with Sentinels, with the server that said so. */
static jtg_status tell_refusal(const struct jtgi_request *request, const redisReply *reply,
                               jtg_status status)
{
    char told[JTGI_REFUSAL_BYTES];
    jtg_error why = JTG_ERROR_INIT;
    struct jtgi_address address;
    jtgi_reply_explain(reply, told);
    (void)jtg_error_set(&why, status, 0, "redis: %s", told);
    if (request->route->guide.named_by_others &&
        jtgi_nodes_address_of(&request->route->nodes, request->answered_by, &address))
        return jtgi_link_tell(&request->route->shared->dialer, &address, status, &why,
                              request->err);
    return jtg_error_set(request->err, status, 0, "%s", why.text);
}

jtg_status jtgi_request_reject(const struct jtgi_request *request, const redisReply *reply,
                               jtg_status unexpected)
{
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    if (row != NULL)
        return tell_refusal(request, reply, row->status);
    jtgi_nodes_retire_connection(&request->route->nodes, request->answered_by);
    return jtg_error_set(request->err, unexpected, 0,
                         "redis: the server answered with something that was not asked for");
}
