/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/ask/request.h"

#include "redis/flow/counts.h"
#include "redis/line/deadline.h"
#include "redis/line/link.h"

#include <jtiguard/status.h>
#include <stddef.h>
#include <string.h>

/* Times that one operation is sent at most: each of them needs a server that took a connection
 * and lost it again. */
enum { SENDS_MAX = 4 };

/* Redirects that one operation follows: more are a Cluster that disagrees with itself. */
enum { REDIRECTS_MAX = 5 };

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
    int64_t until = jtgi_now_ns() + JTGI_REQUEST_PAUSE_NS;
    jtgi_word_wait(&nothing, 0, until < request->deadline_ns ? until : request->deadline_ns);
}

static void refuse(const struct jtgi_request *request, jtg_status status, const char *text)
{
    request->err->status = jtg_error_set(request->err, status, 0, "redis: %s", text);
}

/* ---- the way to the node that holds the key ---- */

static void leave_node(const struct jtgi_request *request, struct jtgi_journey *journey)
{
    if (journey->node != request->node)
        jtgi_nodes_let_go(&request->route->nodes, journey->node);
    journey->node = NULL;
}

static struct jtgi_node *find_node(struct jtgi_request *request, struct jtgi_journey *journey)
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
static bool may_detour(struct jtgi_request *request, struct jtgi_journey *journey)
{
    journey->detour_slot = request->slot;
    if (!request->watched || request->kept_since_ms == JTGI_KEPT_ANY)
        return true;
    return request->answer.sight == JTGI_SIGHT_KEPT &&
           request->answer.since_ms <= request->kept_since_ms &&
           jtgi_nodes_marked_slot(&request->route->nodes, journey->detour, &journey->detour_slot);
}

static bool follow_redirect(struct jtgi_request *request, struct jtgi_journey *journey,
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
static enum jtgi_onward reroute(struct jtgi_request *request, const struct jtgi_journey *journey,
                                bool answered)
{
    const struct jtgi_stop stop = {journey->node, request->slot, answered, request->node != NULL};
    return jtgi_route_after(request->route, &stop, request->deadline_ns);
}

static enum jtgi_onward redirected(struct jtgi_request *request, struct jtgi_journey *journey,
                                   const redisReply *reply, bool for_once)
{
    return follow_redirect(request, journey, reply, for_once) ? JTGI_ONWARD_AGAIN
                                                              : JTGI_ONWARD_STOP;
}

/* It answered with an error that may be worth another question. */
static enum jtgi_onward go_on_answered(struct jtgi_request *request, struct jtgi_journey *journey,
                                       const redisReply *reply)
{
    switch (next_of(reply)) {
    case JTGI_NEXT_PAUSE:
        return JTGI_ONWARD_PAUSE;
    case JTGI_NEXT_REROUTE:
        return reroute(request, journey, true);
    case JTGI_NEXT_MOVED:
        return redirected(request, journey, reply, false);
    case JTGI_NEXT_ASK:
        return redirected(request, journey, reply, true);
    default:
        return JTGI_ONWARD_STOP;
    }
}

/* Nothing was sent. */
static enum jtgi_onward go_on_unsent(struct jtgi_request *request, struct jtgi_journey *journey)
{
    if (request->err->status != JTG_ERR_UNAVAILABLE)
        return JTGI_ONWARD_STOP;
    if (!atomic_load(&journey->node->health.down))
        return JTGI_ONWARD_AGAIN;
    return reroute(request, journey, false);
}

static enum jtgi_onward onward_of(struct jtgi_errand *errand)
{
    if (errand->fate == JTGI_FATE_UNKNOWN || !has_time(errand->request))
        return JTGI_ONWARD_STOP;
    if (errand->fate == JTGI_FATE_NOT_SENT)
        return go_on_unsent(errand->request, &errand->journey);
    return errand->reply == NULL /* left out */
               ? JTGI_ONWARD_STOP
               : go_on_answered(errand->request, &errand->journey, errand->reply);
}

/* ---- one after the other, and many together ---- */

/* What is asked of the node that the journey has come to. */
static struct jtgi_question question_of(struct jtgi_errand *errand)
{
    struct jtgi_request *request = errand->request;
    const struct jtgi_journey *journey = &errand->journey;
    const struct jtgi_question question = {.bytes = errand->bytes,
                                           .len = errand->len,
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
static bool may_send(const struct jtgi_errand *errand)
{
    if (errand->bytes == NULL)
        refuse(errand->request, JTG_ERR_MEMORY, "no memory for a command");
    /* A second question must not go out when nobody has time for its answer: leaving it unread
     * costs all the others their connection. */
    else if (!has_time(errand->request))
        refuse(errand->request, JTG_ERR_UNAVAILABLE, "no time was left to send it");
    else
        return true;
    return false;
}

void jtgi_errand_set_out(struct jtgi_errand *errand)
{
    memset(&errand->journey, 0, sizeof errand->journey);
    errand->fate = JTGI_FATE_NOT_SENT;
    errand->reply = NULL;
    errand->journey.under_way = errand->request != NULL && may_send(errand);
}

/* Where it goes in this round. */
bool jtgi_errand_find_way(struct jtgi_errand *errand)
{
    struct jtgi_journey *journey = &errand->journey;
    if (!journey->under_way)
        return false;
    journey->asked = false;
    journey->node = find_node(errand->request, journey);
    journey->under_way = journey->node != NULL;
    return journey->under_way;
}

static bool is_to_be_asked(const struct jtgi_errand *errand)
{
    return errand->journey.under_way && !errand->journey.asked;
}

struct jtgi_exchange *jtgi_errand_put(struct jtgi_errand *errand)
{
    struct jtgi_exchange *exchange = &errand->exchange;
    errand->journey.asked = true;
    exchange->question = question_of(errand);
    exchange->answer = &errand->request->answer;
    exchange->next = NULL;
    return exchange;
}

/* Of all of them that go where the first goes, in their order. */
static void link_exchanges(struct jtgi_errand *first, const struct jtgi_errand *end)
{
    struct jtgi_exchange *last = NULL;
    for (struct jtgi_errand *at = first; at < end; at++) {
        if (!is_to_be_asked(at) || at->journey.node != first->journey.node)
            continue;
        struct jtgi_exchange *exchange = jtgi_errand_put(at);
        if (last != NULL)
            last->next = exchange;
        last = exchange;
    }
}

static struct jtgi_errand *errand_of(struct jtgi_exchange *exchange)
{
    return (struct jtgi_errand *)(void *)((char *)exchange -
                                          offsetof(struct jtgi_errand, exchange));
}

/* They have one fate, and each its answer. */
void jtgi_errand_take(struct jtgi_errand *errand, enum jtgi_fate fate, const jtg_error *why)
{
    jtg_error *err = errand->request->err;
    errand->fate = fate;
    if (fate == JTGI_FATE_ANSWERED) {
        errand->reply = errand->request->answer.reply;
        return;
    }
    (void)jtg_error_set(err, why->status, why->system_errno, "%s", why->text);
    err->status = why->status;
}

/* Those of one node; so many nodes are left to be asked, this one among them. One that hangs takes
 * half of what is left, so that there is some for the next: what becomes of its own is unknown
 * then, and whoever may ask again has the rest of the time. */
static void ask_node(struct jtgi_errand *first, const struct jtgi_errand *end, unsigned nodes_left)
{
    jtg_error why = JTG_ERROR_INIT;
    int64_t now_ns = jtgi_now_ns();
    int64_t deadline_ns = first->request->deadline_ns;
    if (nodes_left > 1)
        deadline_ns = now_ns + (deadline_ns - now_ns) / 2;
    link_exchanges(first, end);
    enum jtgi_fate fate = jtgi_pipeline_call(jtgi_node_pipeline(first->journey.node),
                                             &first->exchange, deadline_ns, &why);
    for (struct jtgi_exchange *at = &first->exchange; at != NULL; at = at->next)
        jtgi_errand_take(errand_of(at), fate, &why);
}

/* Does none before it go to the same node? */
static bool is_first_of_node(const struct jtgi_errand *errands, const struct jtgi_errand *one)
{
    for (const struct jtgi_errand *at = errands; at < one; at++)
        if (is_to_be_asked(at) && at->journey.node == one->journey.node)
            return false;
    return true;
}

static void ask_nodes(struct jtgi_errand *errands, const struct jtgi_errand *end)
{
    unsigned nodes_left = 0;
    for (const struct jtgi_errand *at = errands; at < end; at++)
        nodes_left += is_to_be_asked(at) && is_first_of_node(errands, at);
    for (struct jtgi_errand *at = errands; at < end; at++)
        if (is_to_be_asked(at))
            ask_node(at, end, nodes_left--);
}

bool jtgi_errand_look_onward(struct jtgi_errand *errand)
{
    errand->journey.onward = onward_of(errand);
    return errand->journey.onward == JTGI_ONWARD_PAUSE;
}

/* Some may have to wait for a moment: once for all of them. */
static void look_onward(struct jtgi_errand *errands, const struct jtgi_errand *end)
{
    const struct jtgi_errand *pausing = NULL;
    for (struct jtgi_errand *at = errands; at < end; at++) {
        if (!at->journey.under_way)
            continue;
        if (jtgi_errand_look_onward(at))
            pausing = at;
    }
    if (pausing != NULL)
        pause_a_moment(pausing->request);
}

bool jtgi_errand_end_round(struct jtgi_errand *errand)
{
    struct jtgi_journey *journey = &errand->journey;
    if (!journey->under_way)
        return false;
    leave_node(errand->request, journey);
    journey->under_way = journey->onward != JTGI_ONWARD_STOP &&
                         ++journey->sends < SENDS_MAX + journey->redirects &&
                         has_time(errand->request);
    if (!journey->under_way)
        return false;
    if (errand->reply != NULL)
        freeReplyObject(errand->reply);
    errand->reply = NULL;
    errand->fate = JTGI_FATE_NOT_SENT;
    return true;
}

void jtgi_request_send_all(struct jtgi_errand *errands, size_t count)
{
    struct jtgi_errand *end = errands + count;
    size_t under_way = 1;
    for (struct jtgi_errand *at = errands; at < end; at++)
        jtgi_errand_set_out(at);
    while (under_way > 0) {
        under_way = 0;
        for (struct jtgi_errand *at = errands; at < end; at++)
            under_way += jtgi_errand_find_way(at);
        ask_nodes(errands, end);
        look_onward(errands, end);
        for (struct jtgi_errand *at = errands; at < end; at++)
            (void)jtgi_errand_end_round(at);
    }
    for (struct jtgi_errand *at = errands; at < end; at++)
        if (at->request != NULL)
            jtgi_nodes_let_go(&at->request->route->nodes, at->journey.detour);
}

enum jtgi_fate jtgi_request_send(struct jtgi_request *request, const struct jtgi_command *command,
                                 redisReply **reply)
{
    struct jtgi_errand errand = {
        .request = request, .bytes = command->failed ? NULL : command->bytes, .len = command->len};
    jtgi_request_send_all(&errand, 1);
    *reply = errand.reply;
    return errand.fate;
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

static void begin_script(struct jtgi_command *command, enum jtgi_script script, bool in_full,
                         const struct jtgi_stored_key *key, size_t more_keys, size_t words)
{
    jtgi_command_begin(command, 4 + words);
    jtgi_command_text(command, in_full ? "EVAL" : "EVALSHA");
    jtgi_command_text(command, in_full ? jtgi_script_text(script) : jtgi_script_sha1(script));
    jtgi_command_number(command, 1 + more_keys);
    jtgi_command_bytes(command, key->bytes, key->len);
}

void jtgi_script_begin(struct jtgi_command *command, enum jtgi_script script, bool in_full,
                       const struct jtgi_stored_key *key, size_t words)
{
    begin_script(command, script, in_full, key, 0, words);
}

void jtgi_script_command(struct jtgi_command *command, enum jtgi_script script, bool in_full,
                         const struct jtgi_stored_key *key, const struct jtgi_word_list *arguments)
{
    begin_script(command, script, in_full, key, arguments->keys, arguments->count);
    for (size_t i = 0; i < arguments->count; i++)
        jtgi_command_bytes(command, arguments->words[i].data, arguments->words[i].len);
}

bool jtgi_script_is_unknown(enum jtgi_fate fate, const redisReply *reply)
{
    if (fate != JTGI_FATE_ANSWERED || reply == NULL) /* none, or left out */
        return false;
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    return row != NULL && row->class == JTGI_CLASS_SCRIPT;
}

static enum jtgi_fate send_script(struct jtgi_request *request, enum jtgi_script script,
                                  bool in_full, const struct jtgi_stored_key *key,
                                  const struct jtgi_word_list *arguments, redisReply **reply)
{
    struct jtgi_command command;
    jtgi_command_init(&command);
    jtgi_script_command(&command, script, in_full, key, arguments);
    enum jtgi_fate fate = jtgi_request_send(request, &command, reply);
    jtgi_command_clear(&command);
    return fate;
}

enum jtgi_fate jtgi_request_script(struct jtgi_request *request, enum jtgi_script script,
                                   const struct jtgi_stored_key *key,
                                   const struct jtgi_word_list *arguments, redisReply **reply)
{
    enum jtgi_fate fate = send_script(request, script, false, key, arguments, reply);
    if (!jtgi_script_is_unknown(fate, *reply))
        return fate;
    freeReplyObject(*reply);
    return send_script(request, script, true, key, arguments, reply);
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

jtg_status jtgi_request_say_unreadable(const struct jtgi_request *request)
{
    const struct jtgi_error_row *row = request->answer.refusal;
    return jtg_error_set(request->err, row->status, 0,
                         "redis: what the store has kept cannot be read: %s", row->text);
}

jtg_status jtgi_request_say_moving(const struct jtgi_request *request)
{
    return jtg_error_set(request->err, JTG_ERR_CONTINUITY, 0,
                         "redis: the slot of the key is being moved, and whether all of it was "
                         "kept cannot be known");
}

jtg_status jtgi_request_say_forgotten(const struct jtgi_request *request)
{
    char since[JTGI_MOMENT_BYTES];
    jtgi_marker_since_format(request->answer.since_ms, since);
    return jtg_error_set(request->err, JTG_ERR_CONTINUITY, 0,
                         "redis: the store has kept everything only since %s, and the key may "
                         "have been used before",
                         since);
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
    if (request->line_is_odd != NULL)
        *request->line_is_odd = true;
    else
        jtgi_nodes_retire_connection(&request->route->nodes, request->answered_by);
    return jtg_error_set(request->err, unexpected, 0,
                         "redis: the server answered with something that was not asked for");
}
