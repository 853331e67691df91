/* SPDX-License-Identifier: Apache-2.0 */
/* /check, for proxies. In this order: who asks, what is shown, whether it is a known replay, the
 * verifier, and last the guard. Nothing reaches the guard that is not genuine. A token whose key
 * may be on its way is set aside, and all this is done once more when it has come. */
#include "monotonic.h"
#include "serve/answer/authorization.h"
#include "serve/answer/endpoints.h"
#include "serve/answer/guarded.h"
#include "serve/answer/owner_tally.h"
#include "serve/answer/owner_window.h"
#include "serve/answer/proxy.h"
#include "serve/answer/refusal_limit.h"
#include "serve/answer/replay_cache.h"
#include "serve/http/reply.h"

#include <stdlib.h>
#include <string.h>

struct check {
    struct exchange *exchange;
    struct responder *responder;
    const struct service_settings *settings;
    struct origin origin;
    struct authorization shown;
    jtg_text owner_id;
    bool owned;
    struct verified verified;
    char *url;      /* made from parts, or NULL */
    bool awaits;    /* keys: it is answered later */
    bool overtaken; /* by a reload: its token was judged by newer settings than its own */
};

static int64_t slot_ms(const struct check *check)
{
    return (int64_t)check->settings->owner_quiet_s * 1000;
}

/* A replay came after the admission, so when this time has passed since the replay, the one who
 * was admitted cannot be admitted again either: until then it is the guard who says. */
static int64_t quiet_ms(const struct check *check)
{
    return check->owned ? owner_window_ms(slot_ms(check)) : 0;
}

static int64_t life_ms(const struct check *check)
{
    return (int64_t)check->settings->replay_cache_s * 1000;
}

static int64_t clock_ms(const struct responder *responder)
{
    return responder->clock.monotonic_ms(responder->clock.context);
}

/* A field holds tokens of one kind: an ID token in the field of a logout token is none. */
static enum refusal verify_of_kind(struct check *check, int64_t now_ms)
{
    const struct authorization *shown = &check->shown;
    enum refusal refusal = verify_bearer(check->responder->verifier, shown->token.data,
                                         shown->token.data_len, now_ms, &check->verified);
    if (refusal != REFUSAL_NONE || shown->kind == JTG_KIND_NONE ||
        shown->kind == check->verified.claims.kind)
        return refusal;
    verified_clear(&check->verified);
    return REFUSAL_WRONG_KIND;
}

static enum refusal ask_verifier(struct check *check)
{
    struct responder *responder = check->responder;
    int64_t now_ms = responder->clock.wall_ms(responder->clock.context);
    const struct authorization *shown = &check->shown;
    if (responder->verifier == NULL)
        return REFUSAL_UNKNOWN_ISSUER;
    if (!shown->is_dpop)
        return verify_of_kind(check, now_ms);
    struct dpop_request request = {.token = shown->token, .proof = shown->proof};
    if (!proxy_target(check->exchange, &check->origin, &request.method, &request.url, &check->url))
        return REFUSAL_MISSING_TARGET;
    return verify_dpop(responder->verifier, &request, now_ms, &check->verified);
}

static enum outcome verify(struct check *check)
{
    int64_t began_ns = monotonic_ns();
    enum refusal refusal = ask_verifier(check);
    check->awaits = refusal != REFUSAL_NONE && exchange_await(check->exchange, &check->verified);
    if (check->awaits)
        return outcome_of_refusal(refusal);
    latency_add(&check->responder->metrics.verify, monotonic_ns() - began_ns);
    check->overtaken =
        refusal == REFUSAL_NONE && check->verified.generation != check->settings->verify.generation;
    return refusal == REFUSAL_NONE ? OUTCOME_UNDECIDED : outcome_of_refusal(refusal);
}

static enum outcome guard_for(struct check *check, const jtg_owner *owner)
{
    jtg_decision decision = JTG_DECISION_INIT;
    check->verified.claims.owner = owner;
    enum outcome outcome = guarded_admit(check->responder, &check->verified.claims, &decision);
    check->verified.claims.owner = NULL; /* it ends before the claims do */
    return outcome;
}

/* Too often for one request: another use, whatever its id says. */
static enum outcome once_more(struct check *check)
{
    unsigned char key[JTG_KEY_MAX_BYTES];
    size_t key_len = 0;
    jtg_reason reason =
        jtg_guard_key(check->responder->guard, &check->verified.claims, key, &key_len);
    if (reason != JTG_REASON_ADMITTED)
        return (enum outcome)reason;
    const struct owned_token owned = {check->owner_id, {(const char *)key, key_len}};
    return owner_tally_take(check->responder->owners, &owned, clock_ms(check->responder),
                            owner_window_ms(slot_ms(check)))
               ? OUTCOME_ADMITTED
               : OUTCOME_REPLAYED;
}

/* A token that is new is stored for the first of the owners; the others find what an earlier
 * question of this request has stored. */
static enum outcome guard(struct check *check)
{
    jtg_owner owners[OWNER_CANDIDATES];
    const jtg_clock *clock = &check->responder->clock;
    if (!check->owned)
        return guard_for(check, NULL);
    size_t count = owner_window_candidates(owners, check->owner_id, clock->wall_ms(clock->context),
                                           slot_ms(check));
    enum outcome outcome = SERVICE_UNUSABLE_OWNER;
    for (size_t i = 0; i < count; i++) {
        outcome = guard_for(check, &owners[i]);
        if (outcome != OUTCOME_REPLAYED)
            break;
    }
    return outcome == OUTCOME_ADMITTED ? once_more(check) : outcome;
}

/* What is known to be a replay needs no second look. */
static enum outcome verify_and_guard(struct check *check)
{
    struct slots *replays = check->responder->replays;
    struct slot_key key = replay_cache_key(replays, check->shown.token, check->shown.proof);
    int64_t now_ms = clock_ms(check->responder);
    if (replay_cache_knows(replays, key, now_ms, quiet_ms(check), life_ms(check))) {
        metrics_add(&check->responder->metrics.replay_cache_hits);
        return OUTCOME_REPLAYED;
    }
    enum outcome outcome = verify(check);
    if (check->overtaken)
        return outcome;
    if (outcome == OUTCOME_UNDECIDED)
        outcome = exchange_has_time(check->exchange, service_settings_store_ms(check->settings))
                      ? guard(check)
                      : SERVICE_OUT_OF_TIME;
    if (outcome == OUTCOME_REPLAYED)
        replay_cache_remember(replays, key, now_ms, quiet_ms(check), life_ms(check));
    return outcome;
}

static enum outcome decide_once(struct check *check)
{
    if (refusal_limit_reached(check->responder->refusal_limit, &check->settings->refusals,
                              check->origin.key, check->origin.key_len, clock_ms(check->responder)))
        return SERVICE_TOO_MANY_REFUSALS;
    if (check->exchange->request.body_too_long)
        return SERVICE_BODY_TOO_LONG;
    enum refusal refusal = authorization_read(&check->shown, check->exchange);
    if (refusal != REFUSAL_NONE)
        return outcome_of_refusal(refusal);
    enum owner_answer owner = proxy_owner(check->exchange, &check->origin, &check->owner_id);
    if (owner == OWNER_UNUSABLE)
        return SERVICE_UNUSABLE_OWNER;
    check->owned = owner == OWNER_SET;
    return verify_and_guard(check);
}

static struct check check_of(struct exchange *exchange)
{
    return (struct check){.exchange = exchange,
                          .responder = exchange->responder,
                          .settings = policy_settings(exchange->policy),
                          .origin = proxy_origin(exchange),
                          .verified = {.claims = JTG_CLAIMS_INIT}};
}

static void clear(struct check *check)
{
    free(check->url);
    verified_clear(&check->verified);
    authorization_clear(&check->shown);
}

/* Which headers an answer has, whose they are and who is let in belong together: a token that newer
 * settings judged, because it waited for keys or came in the very moment of a reload, is looked at
 * by them from the beginning, before the guard has heard of it. Newer ones than those it was judged
 * by may be in effect already; then the same once more. */
static enum outcome decide(struct check *check)
{
    enum outcome outcome = decide_once(check);
    while (check->overtaken) {
        struct exchange *exchange = check->exchange;
        clear(check);
        exchange_renew_policy(exchange);
        *check = check_of(exchange);
        outcome = decide_once(check);
    }
    return outcome;
}

/* ---- the answer ---- */

static void add_claims(struct reply *reply, const struct check *check)
{
    const struct verified *verified = &check->verified;
    if (verified->subject.data_len > 0 && check->settings->subject_header != NULL)
        reply_header_text(reply, check->settings->subject_header, verified->subject);
    if (verified->issuer.data_len > 0 && check->settings->issuer_header != NULL)
        reply_header_text(reply, check->settings->issuer_header, verified->issuer);
    for (size_t i = 0; i < verified->header_count; i++)
        reply_header_text(reply, verified->headers[i].name, verified->headers[i].value);
}

static void add_challenge(struct reply *reply, bool dpop, enum outcome outcome)
{
    char text[512];
    const char *code = outcome_error_code(outcome);
    int len = snprintf(text, sizeof text, "%s realm=\"jtiguard\"", dpop ? "DPoP" : "Bearer");
    if (code != NULL)
        len += snprintf(text + len, sizeof text - (size_t)len,
                        ", error=\"%s\", error_description=\"%s\"", code, outcome_text(outcome));
    if (dpop)
        (void)snprintf(text + len, sizeof text - (size_t)len, ", algs=\"%s\"", verify_proof_algs());
    reply_header(reply, "WWW-Authenticate", text);
}

/* Which schemes the issuers' tokens are shown with. */
static bool offers(const struct service_settings *settings, bool dpop)
{
    for (size_t i = 0; i < settings->issuers.count; i++)
        if ((settings->issuers.items[i].kind == JTG_KIND_DPOP_PROOF) == dpop)
            return true;
    return false;
}

static void add_challenges(struct reply *reply, const struct check *check, enum outcome outcome)
{
    bool shown = check->shown.token.data_len > 0;
    bool dpop = shown ? check->shown.is_dpop : offers(check->settings, true);
    bool bearer = shown ? !dpop : !dpop || offers(check->settings, false);
    if (bearer)
        add_challenge(reply, false, outcome);
    if (dpop)
        add_challenge(reply, true, outcome);
}

static void add_nonce(struct reply *reply, const struct check *check)
{
    char nonce[DPOP_NONCE_TEXT_BYTES];
    struct verifier *verifier = check->responder->verifier;
    if (verifier == NULL || !verifier_uses_dpop_nonce(verifier))
        return;
    verifier_dpop_nonce(verifier, check->responder->clock.wall_ms(check->responder->clock.context),
                        nonce);
    reply_header(reply, "DPoP-Nonce", nonce);
}

static struct reply write_answer(const struct check *check, enum outcome outcome)
{
    struct reply reply = reply_empty(outcome_check_status(outcome));
    reply_header(&reply, "X-JTI-Result", jtg_verdict_name(outcome_verdict(outcome)));
    reply_header(&reply, "X-JTI-Reason", outcome_name(outcome));
    if (reply.status == 200)
        add_claims(&reply, check);
    if (reply.status == 401 || (reply.status == 403 && outcome_error_code(outcome) != NULL))
        add_challenges(&reply, check, outcome);
    if (check->shown.is_dpop || reply.status == 401)
        add_nonce(&reply, check);
    return reply;
}

/* A header that cannot be written is a claim that the proxy would miss: then nobody is let in, and
 * the connection does not just break. */
static struct reply answer(const struct check *check, enum outcome *outcome)
{
    struct reply reply = write_answer(check, *outcome);
    if (!reply.failed || reply.status != 200)
        return reply;
    reply_drop(&reply);
    *outcome = outcome_of_refusal(REFUSAL_OUT_OF_MEMORY);
    return write_answer(check, *outcome);
}

static void count(struct check *check, enum outcome outcome)
{
    struct responder *responder = check->responder;
    metrics_decided(&responder->metrics, METRICS_CHECK, outcome);
    if (outcome_is_clients(outcome) && !outcome_is_question(outcome))
        refusal_limit_count(responder->refusal_limit, &check->settings->refusals, check->origin.key,
                            check->origin.key_len, clock_ms(responder));
    guarded_log(check->exchange, &check->origin.client, outcome);
    latency_add(&responder->metrics.check, monotonic_ns() - check->exchange->request.began_ns);
}

bool endpoint_check(struct exchange *exchange)
{
    struct check check = check_of(exchange);
    enum outcome outcome = decide(&check);
    bool result = true;
    if (!check.awaits) {
        struct reply reply = answer(&check, &outcome);
        count(&check, outcome);
        result = reply_send(&reply, &exchange->request);
    }
    clear(&check);
    return result;
}
