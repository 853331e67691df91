/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/challenge hands out a one-time challenge, /v1/consume takes it back once. */
#include "monotonic.h"
#include "serve/answer/api.h"
#include "serve/answer/api_claims.h"
#include "serve/answer/endpoints.h"

#include <string.h>

/* What the body says. */
struct asked {
    jtg_text purpose;
    jtg_text challenge; /* consume only */
    uint64_t lifetime_ms;
};

static bool read_text(jtg_text *text, const json_t *root, const char *member)
{
    const json_t *value = json_object_get(root, member);
    text->data = json_string_value(value);
    text->data_len = json_string_length(value);
    return text->data != NULL && text->data_len > 0;
}

static bool read_purpose(struct asked *asked, const json_t *root)
{
    return read_text(&asked->purpose, root, "purpose") &&
           asked->purpose.data_len <= JTG_CHALLENGE_PURPOSE_MAX_BYTES;
}

/* Seconds; without it five minutes. */
static bool read_lifetime(struct asked *asked, const json_t *root)
{
    const json_t *value = json_object_get(root, "lifetime");
    json_int_t seconds = json_integer_value(value);
    asked->lifetime_ms = CHALLENGE_LIFETIME_MS;
    if (value == NULL)
        return true;
    asked->lifetime_ms = (uint64_t)seconds * 1000;
    return json_is_integer(value) && seconds >= 1 &&
           seconds <= (json_int_t)(CHALLENGE_LIFETIME_MOST_MS / 1000);
}

static bool read_issue(struct asked *asked, const json_t *root)
{
    size_t members = json_object_get(root, "lifetime") != NULL ? 2 : 1;
    return json_object_size(root) == members && read_purpose(asked, root) &&
           read_lifetime(asked, root);
}

static bool read_consume(struct asked *asked, const json_t *root)
{
    return json_object_size(root) == 2 && read_purpose(asked, root) &&
           read_text(&asked->challenge, root, "challenge");
}

static unsigned status_of(jtg_status status)
{
    switch (status) {
    case JTG_OK:
        return 200;
    case JTG_REPLAYED:
        return 409;
    case JTG_MISMATCH:
    case JTG_NOT_FOUND:
    case JTG_ERR_ARGUMENT:
        return 422;
    default:
        return 503;
    }
}

static json_t *refusal_json(jtg_status status, const jtg_error *err)
{
    const char *text = err->text[0] != '\0' ? err->text : jtg_status_text(status);
    return json_pack("{s:s, s:s}", "reason", jtg_status_name(status), "text", text);
}

static struct reply issue(const struct exchange *exchange, const struct asked *asked)
{
    jtg_challenge issued;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status =
        jtg_challenges_issue(exchange->responder->challenges, asked->purpose.data,
                             asked->purpose.data_len, asked->lifetime_ms, &issued, 1, &err);
    if (status != JTG_OK)
        return api_answer(status_of(status), refusal_json(status, &err));
    return api_answer(200, json_pack("{s:s, s:I}", "challenge", issued.text, "expires_in",
                                     (json_int_t)(asked->lifetime_ms / 1000)));
}

static struct reply consume(const struct exchange *exchange, const struct asked *asked)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtg_challenges_consume(exchange->responder->challenges, asked->purpose.data,
                                               asked->purpose.data_len, asked->challenge.data,
                                               asked->challenge.data_len, &err);
    json_t *body = status == JTG_OK ? json_pack("{s:s}", "reason", jtg_status_name(status))
                                    : refusal_json(status, &err);
    (void)json_object_set_new(body, "consumed", json_boolean(status == JTG_OK));
    return api_answer(status_of(status), body);
}

static struct reply refuse(bool consuming, const char *reason, unsigned status)
{
    json_t *body = json_pack("{s:s, s:s}", "reason", reason, "text",
                             status == 422 ? "the body is not what this path takes"
                                           : "the store was not asked, for its answer might have "
                                             "come when nobody waits for it any more");
    if (consuming)
        (void)json_object_set_new(body, "consumed", json_false());
    return api_answer(status, body);
}

static bool answer_challenge(struct exchange *exchange, bool consuming)
{
    struct reply reply;
    json_t *root = NULL;
    struct asked asked;
    struct api_fault fault = {NULL, false, 0};
    if (!api_open_request(exchange, &reply))
        return reply_send(&reply, &exchange->request);
    memset(&asked, 0, sizeof asked);
    bool good = api_body_read(&root, exchange->request.body.data, exchange->request.body.len,
                              &fault) == OUTCOME_UNDECIDED &&
                (consuming ? read_consume(&asked, root) : read_issue(&asked, root));
    if (!good)
        reply = refuse(consuming, "bad_argument", 422);
    else if (!api_may_ask(exchange, 0))
        reply = refuse(consuming, "out_of_time", 503);
    else
        reply = consuming ? consume(exchange, &asked) : issue(exchange, &asked);
    json_decref(root);
    latency_add(&exchange->responder->metrics.api, monotonic_ns() - exchange->request.began_ns);
    return reply_send(&reply, &exchange->request);
}

bool endpoint_challenge(struct exchange *exchange)
{
    return answer_challenge(exchange, false);
}

bool endpoint_consume(struct exchange *exchange)
{
    return answer_challenge(exchange, true);
}
