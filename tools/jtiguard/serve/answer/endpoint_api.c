/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/, for verifiers that have checked the token themselves.
 *
 * /v1/check reserves too, a batch of tokens: an answer that reserved nothing would be worth
 * nothing a moment later. */
#include "monotonic.h"
#include "owner_hex.h"
#include "serve/answer/api.h"
#include "serve/answer/api_claims.h"
#include "serve/answer/authorization.h"
#include "serve/answer/endpoints.h"
#include "serve/answer/guarded.h"
#include "serve/answer/proxy.h"
#include "serve/answer/refusal_limit.h"
#include "serve/http/reply.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a batch leaves of its time for writing the answer. */
enum { BATCH_ANSWER_MS = 100 };

/* ---- who may ask ---- */

static bool is_allowed(const struct exchange *exchange)
{
    const struct service_settings *settings = policy_settings(exchange->policy);
    jtg_text given = {NULL, 0};
    if (settings->api_secrets.count == 0)
        return exchange->request.role == HTTP_API; /* a unix socket, see the settings */
    struct header_value header = request_header(&exchange->request, "Authorization");
    return header.count == 1 &&
           authorization_split(header.text, "Bearer", &given) == AUTHORIZATION_OK &&
           secrets_hold(&settings->api_secrets, given.data, given.data_len);
}

/* Guesses at the secret count as refusals of a client. */
static bool admit_caller(const struct exchange *exchange)
{
    struct responder *responder = exchange->responder;
    const struct refusal_rule *rule = &policy_settings(exchange->policy)->refusals;
    struct origin origin = proxy_origin(exchange);
    int64_t now_ms = responder->clock.monotonic_ms(responder->clock.context);
    if (refusal_limit_reached(responder->refusal_limit, rule, origin.key, origin.key_len, now_ms))
        return false;
    if (is_allowed(exchange))
        return true;
    char text[PEER_TEXT_BYTES];
    peer_write(&origin.client, text);
    const struct log_field fields[] = {
        {"endpoint", metrics_endpoint_name(exchange->endpoint)}, {"client", text}, {NULL, NULL}};
    service_log_refusal(responder->log, "unauthorized", fields);
    refusal_limit_count(responder->refusal_limit, rule, origin.key, origin.key_len, now_ms);
    return false;
}

/* A page of another origin can make a browser post, but not this type. */
static bool is_json(const struct exchange *exchange)
{
    static const char type[] = "application/json";
    struct header_value value = request_header(&exchange->request, "Content-Type");
    size_t len = sizeof type - 1;
    return value.count == 1 && value.text.data_len >= len &&
           strncasecmp(value.text.data, type, len) == 0 &&
           (value.text.data_len == len || strchr("; \t", value.text.data[len]) != NULL);
}

static struct reply refuse_caller(unsigned status, const char *error)
{
    struct reply reply = reply_json(status, json_pack("{s:s}", "error", error));
    if (status == 401)
        reply_header(&reply, "WWW-Authenticate", "Bearer realm=\"jtiguard api\"");
    return reply;
}

bool api_open_request(const struct exchange *exchange, struct reply *reply)
{
    if (!admit_caller(exchange))
        *reply = refuse_caller(401, "unauthorized");
    else if (exchange->request.body_too_long)
        *reply = refuse_caller(413, outcome_name(SERVICE_BODY_TOO_LONG));
    else if (!is_json(exchange))
        *reply = refuse_caller(415, "unsupported_media_type");
    else
        return true;
    return false;
}

/* ---- one decision ---- */

static json_t *reservation_json(const jtg_reservation *reservation)
{
    char hex[OWNER_HEX_BYTES];
    owner_to_hex(&reservation->owner, hex);
    return json_pack("{s:o, s:s}", "key",
                     json_stringn((const char *)reservation->key, reservation->key_len), "owner",
                     hex);
}

static void add_fault(json_t *body, const struct api_fault *fault)
{
    if (fault->member != NULL)
        (void)json_object_set_new(body, "member", json_string(fault->member));
    if (fault->has_place)
        (void)json_object_set_new(body, "position", json_integer((json_int_t)fault->place));
}

static json_t *decision_json(enum outcome outcome, const jtg_decision *decision,
                             const struct api_fault *fault)
{
    json_t *body =
        json_pack("{s:s, s:s, s:s}", "result", jtg_verdict_name(outcome_verdict(outcome)), "reason",
                  outcome_name(outcome), "text", outcome_text(outcome));
    if (decision->ttl_ms > 0)
        (void)json_object_set_new(body, "ttl_ms", json_integer((json_int_t)decision->ttl_ms));
    if (decision->reservation.key_len > 0)
        (void)json_object_set_new(body, "reservation", reservation_json(&decision->reservation));
    add_fault(body, fault);
    return body;
}

bool api_may_ask(const struct exchange *exchange, uint32_t more_ms)
{
    uint32_t store_ms = store_timeout_ms(&policy_settings(exchange->policy)->tool);
    return exchange_has_time(exchange, (uint64_t)store_ms + more_ms);
}

static enum outcome decide(struct exchange *exchange, json_t *object, jtg_decision *decision,
                           struct api_fault *fault)
{
    struct api_claims read;
    enum outcome outcome = api_claims_read(&read, object, fault);
    if (read.owned)
        read.claims.owner = &read.owner;
    if (outcome == OUTCOME_UNDECIDED)
        outcome = api_may_ask(exchange, 0)
                      ? guarded_admit(exchange->responder, &read.claims, decision)
                      : SERVICE_OUT_OF_TIME;
    return outcome;
}

static void count(struct exchange *exchange, enum outcome outcome)
{
    struct peer client = request_peer(&exchange->request);
    metrics_decided(&exchange->responder->metrics, exchange->endpoint, outcome);
    guarded_log(exchange, &client, outcome);
}

struct reply api_answer(unsigned status, json_t *body)
{
    struct reply reply = reply_json(status, body);
    if (status == 503)
        reply_header(&reply, "Retry-After", "1");
    return reply;
}

bool endpoint_reserve(struct exchange *exchange)
{
    struct reply reply;
    json_t *root = NULL;
    struct api_fault fault = {NULL, false, 0};
    jtg_decision decision = JTG_DECISION_INIT;
    if (!api_open_request(exchange, &reply))
        return reply_send(&reply, &exchange->request);
    enum outcome outcome =
        api_body_read(&root, exchange->request.body.data, exchange->request.body.len, &fault);
    if (outcome == OUTCOME_UNDECIDED)
        outcome = decide(exchange, root, &decision, &fault);
    count(exchange, outcome);
    reply = api_answer(outcome_api_status(outcome), decision_json(outcome, &decision, &fault));
    json_decref(root);
    latency_add(&exchange->responder->metrics.api, monotonic_ns() - exchange->request.began_ns);
    return reply_send(&reply, &exchange->request);
}

/* ---- many ---- */

/* Trouble before a refusal before a replay, as the exit code of `jtiguard check`: 200 says that
 * every token was admitted. */
static unsigned worse(unsigned a, unsigned b)
{
    static const unsigned order[] = {503, 422, 409};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return 200;
}

/* One token of a batch, and what comes of it. */
struct item {
    struct api_claims read;
    struct api_fault fault;
    jtg_decision decision;
    jtg_error detail;
    enum outcome outcome;
    const jtg_admit_call *call; /* NULL: the guard is not asked */
};

/* As many as the store may be asked for at once. */
struct piece {
    struct item *items;
    jtg_admit_call *calls;
    size_t most;
    size_t count;
    size_t called;
};

static bool piece_init(struct piece *piece, const struct exchange *exchange, size_t tokens)
{
    size_t at_once = jtg_cache_at_once(exchange->responder->cache);
    piece->most = tokens < at_once ? tokens : at_once;
    piece->items = calloc(piece->most, sizeof *piece->items);
    piece->calls = calloc(piece->most, sizeof *piece->calls);
    return piece->items != NULL && piece->calls != NULL;
}

static void piece_clear(struct piece *piece)
{
    free(piece->items);
    free(piece->calls);
}

/* Each piece takes its own time, and what came before it is used up: so what is left has to be
 * enough for the answer as well, and the caller has to be there. */
static bool may_go_on(const struct exchange *exchange)
{
    return api_may_ask(exchange, BATCH_ANSWER_MS) && !request_has_left(&exchange->request);
}

static void read_item(struct piece *piece, json_t *object)
{
    static const jtg_decision undecided = JTG_DECISION_INIT;
    struct item *item = &piece->items[piece->count++];
    *item = (struct item){.decision = undecided};
    item->outcome = api_claims_read(&item->read, object, &item->fault);
    if (item->read.owned)
        item->read.claims.owner = &item->read.owner;
    if (item->outcome != OUTCOME_UNDECIDED)
        return;
    jtg_admit_call *call = &piece->calls[piece->called++];
    *call = (jtg_admit_call){&item->read.claims, &item->decision, &item->detail, false};
    item->call = call;
}

static void decide_piece(struct exchange *exchange, struct piece *piece, const json_t *tokens,
                         size_t from)
{
    size_t left = json_array_size(tokens) - from;
    piece->count = 0;
    piece->called = 0;
    while (piece->count < piece->most && piece->count < left)
        read_item(piece, json_array_get(tokens, from + piece->count));
    bool in_time = piece->called == 0 || api_may_ask(exchange, 0);
    if (in_time && piece->called > 0)
        guarded_admit_many(exchange->responder, piece->calls, piece->called);
    for (size_t i = 0; i < piece->count; i++)
        if (piece->items[i].call != NULL)
            piece->items[i].outcome =
                in_time ? guarded_outcome(piece->items[i].call) : SERVICE_OUT_OF_TIME;
}

static void add_result(struct exchange *exchange, json_t *results, const struct item *item,
                       unsigned *status)
{
    count(exchange, item->outcome);
    *status = worse(*status, outcome_api_status(item->outcome));
    if (json_array_append_new(results,
                              decision_json(item->outcome, &item->decision, &item->fault)) != 0)
        *status = 503;
}

static json_t *decide_all(struct exchange *exchange, const json_t *tokens, unsigned *status)
{
    struct piece piece;
    json_t *results = json_array();
    size_t all = json_array_size(tokens);
    size_t done = 0;
    bool going = piece_init(&piece, exchange, all);
    const struct item late = {.decision = JTG_DECISION_INIT,
                              .outcome = going ? (enum outcome)SERVICE_OUT_OF_TIME
                                               : (enum outcome)JTG_REASON_OUT_OF_MEMORY};
    *status = 200;
    while (going && done < all) {
        decide_piece(exchange, &piece, tokens, done);
        for (size_t i = 0; i < piece.count; i++)
            add_result(exchange, results, &piece.items[i], status);
        done += piece.count;
        going = done < all && may_go_on(exchange);
    }
    for (; done < all; done++)
        add_result(exchange, results, &late, status);
    piece_clear(&piece);
    return results;
}

static const json_t *tokens_of(const struct exchange *exchange, const json_t *root)
{
    const json_t *tokens = json_object_get(root, "tokens");
    size_t count = json_array_size(tokens);
    return json_object_size(root) == 1 && count >= 1 &&
                   count <= policy_settings(exchange->policy)->max_batch
               ? tokens
               : NULL;
}

bool endpoint_batch(struct exchange *exchange)
{
    struct reply reply;
    json_t *root = NULL;
    unsigned status = 0;
    struct api_fault fault = {NULL, false, 0};
    jtg_decision none = JTG_DECISION_INIT;
    if (!api_open_request(exchange, &reply))
        return reply_send(&reply, &exchange->request);
    enum outcome outcome =
        api_body_read(&root, exchange->request.body.data, exchange->request.body.len, &fault);
    const json_t *tokens = tokens_of(exchange, root);
    if (outcome == OUTCOME_UNDECIDED && tokens == NULL)
        outcome = SERVICE_MALFORMED_BATCH;
    if (outcome == OUTCOME_UNDECIDED) {
        json_t *results = decide_all(exchange, tokens, &status);
        reply = api_answer(status, json_pack("{s:o}", "results", results));
    } else {
        count(exchange, outcome);
        reply = api_answer(outcome_api_status(outcome), decision_json(outcome, &none, &fault));
    }
    json_decref(root);
    latency_add(&exchange->responder->metrics.api, monotonic_ns() - exchange->request.began_ns);
    return reply_send(&reply, &exchange->request);
}

/* ---- release ---- */

static bool read_reservation(jtg_reservation *reservation, const json_t *root)
{
    const json_t *given = json_object_get(root, "reservation");
    const json_t *key = json_object_get(given, "key");
    const char *owner = json_string_value(json_object_get(given, "owner"));
    size_t len = json_string_length(key);
    if (json_object_size(root) != 1 || json_object_size(given) != 2 || owner == NULL || len == 0 ||
        len > sizeof reservation->key || !owner_from_hex(owner, &reservation->owner))
        return false;
    memcpy(reservation->key, json_string_value(key), len);
    reservation->key_len = (uint32_t)len;
    return true;
}

static unsigned release_status(jtg_status status)
{
    switch (status) {
    case JTG_OK:
        return 200;
    case JTG_NOT_FOUND:
    case JTG_NOT_OWNER:
        return 409;
    case JTG_ERR_ARGUMENT:
        return 422;
    default:
        return 503;
    }
}

static struct reply release(struct exchange *exchange, const jtg_reservation *reservation)
{
    jtg_status status = jtg_guard_release(exchange->responder->guard, reservation, NULL);
    metrics_released(&exchange->responder->metrics, status);
    return api_answer(release_status(status), json_pack("{s:b, s:s}", "released", status == JTG_OK,
                                                        "reason", jtg_status_name(status)));
}

bool endpoint_release(struct exchange *exchange)
{
    struct reply reply;
    json_t *root = NULL;
    struct api_fault fault = {NULL, false, 0};
    jtg_reservation reservation = {.key_len = 0};
    if (!api_open_request(exchange, &reply))
        return reply_send(&reply, &exchange->request);
    enum outcome outcome =
        api_body_read(&root, exchange->request.body.data, exchange->request.body.len, &fault);
    if (outcome == OUTCOME_UNDECIDED && !read_reservation(&reservation, root))
        outcome = SERVICE_MALFORMED_RESERVATION;
    if (outcome == OUTCOME_UNDECIDED) {
        reply = release(exchange, &reservation);
    } else {
        metrics_released(&exchange->responder->metrics, JTG_ERR_ARGUMENT);
        json_t *body = json_pack("{s:b, s:s, s:s}", "released", 0, "reason", outcome_name(outcome),
                                 "text", outcome_text(outcome));
        add_fault(body, &fault);
        reply = api_answer(outcome_api_status(outcome), body);
    }
    json_decref(root);
    return reply_send(&reply, &exchange->request);
}
