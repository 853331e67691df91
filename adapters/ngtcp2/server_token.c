/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/error.h"
#include "adapters/ngtcp2/settings_token.h"

#include <jtiguard/extend.h>
#include <jtiguard/quic_tokens_ngtcp2.h>

enum { NS_IN_MS = 1000000 };

/* The least that jtg_quic_reuse_options.margin_ms can be. */
#define FUTURE_TOLERATED NGTCP2_SECONDS

void jtg_ngtcp2_server_init(jtg_ngtcp2_server *server)
{
    static const jtg_ngtcp2_server defaults = JTG_NGTCP2_SERVER_INIT;
    if (server != NULL)
        *server = defaults;
}

static bool is_verdict(jtg_ngtcp2_verdict verdict)
{
    return (unsigned)verdict < JTG_NGTCP2_VERDICT_COUNT;
}

const char *jtg_ngtcp2_verdict_name(jtg_ngtcp2_verdict verdict)
{
    static const char *const names[] = {
#define NAME(symbol, value, name, text) [value] = (name),
        JTG_NGTCP2_VERDICT_MAP(NAME)
#undef NAME
    };
    return is_verdict(verdict) ? names[verdict] : "unknown";
}

const char *jtg_ngtcp2_verdict_text(jtg_ngtcp2_verdict verdict)
{
    static const char *const texts[] = {
#define TEXT(symbol, value, name, text) [value] = (text),
        JTG_NGTCP2_VERDICT_MAP(TEXT)
#undef TEXT
    };
    return is_verdict(verdict) ? texts[verdict] : "unknown";
}

/* One presented token, with all that its verification takes. */
struct presented {
    const jtg_ngtcp2_server *server;
    struct jtgi_token token;
    const ngtcp2_sockaddr *address;
    ngtcp2_socklen address_len;
    ngtcp2_tstamp now;
};

/* At some moment. */
static bool is_younger_at(const struct presented *presented, ngtcp2_duration age, ngtcp2_tstamp at)
{
    const jtg_ngtcp2_server *server = presented->server;
    return server->verify(presented->token.data, presented->token.len, server->secret,
                          server->secret_len, presented->address, presented->address_len, age,
                          at) == 0;
}

static bool is_younger_than(const struct presented *presented, ngtcp2_duration age)
{
    return is_younger_at(presented, age, presented->now);
}

/* One that was issued by a clock ahead of ours is good for longer than its record. The log's margin
 * makes up for what is tolerated here. */
static bool is_from_future(const struct presented *presented)
{
    return is_younger_at(presented, 1, presented->now + FUTURE_TOLERATED);
}

/* The log needs to know when the token was issued: one that was issued before the log lost what it
 * knew may have been used. `issued_ms` errs to the early side, and the end (issued_ms and
 * lifetime_ms together) to the late one: a record that ended before its token would open a second
 * use. */
static void find_age(const struct presented *presented, jtg_quic_presented *asked)
{
    ngtcp2_duration life = presented->server->life;
    ngtcp2_duration least = 0;
    ngtcp2_duration most = life;
    while (most - least > NS_IN_MS) {
        ngtcp2_duration middle = least + (most - least) / 2;
        if (is_younger_than(presented, middle))
            most = middle;
        else
            least = middle;
    }
    /* Each rounded up to the millisecond, on both ends. */
    asked->issued_ms = (int64_t)(presented->now / NS_IN_MS) - (int64_t)(most / NS_IN_MS) - 1;
    asked->lifetime_ms = (life + most - least) / NS_IN_MS + 3;
}

static jtg_ngtcp2_verdict ask_log(const struct presented *presented, jtg_error *err)
{
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    jtg_quic_presented asked = JTG_QUIC_PRESENTED_INIT;
    asked.token = presented->token.data;
    asked.token_len = presented->token.len;
    find_age(presented, &asked);
    if (jtg_quic_reuse_first(presented->server->reuse, &asked, &decision, err))
        return JTG_NGTCP2_VALID;
    return decision.seen == JTG_SEEN_BEFORE ? JTG_NGTCP2_REUSED : JTG_NGTCP2_UNSURE;
}

static bool is_usable(const jtg_ngtcp2_server *server, jtg_error *err)
{
    return server != NULL &&
           jtg_struct_check(server, sizeof *server, sizeof *server, "server", err) == JTG_OK &&
           server->reuse != NULL && server->verify != NULL && server->secret != NULL &&
           server->secret_len > 0 && server->life >= JTG_NGTCP2_LIFE_LEAST &&
           server->life <= JTG_NGTCP2_LIFE_MOST;
}

static jtg_ngtcp2_verdict judge(const struct presented *presented, jtg_error *err)
{
    if (presented->token.len == 0)
        return JTG_NGTCP2_NONE;
    if (!is_younger_than(presented, presented->server->life))
        return JTG_NGTCP2_INVALID;
    if (is_from_future(presented)) {
        (void)jtg_error_set(err, JTG_ERR_UNSAFE, 0, "the token was issued later than now");
        return JTG_NGTCP2_UNSURE;
    }
    return ask_log(presented, err);
}

bool jtg_ngtcp2_token_check(const jtg_ngtcp2_server *server, const ngtcp2_pkt_hd *hd,
                            const ngtcp2_sockaddr *address, ngtcp2_socklen address_len,
                            ngtcp2_tstamp now, ngtcp2_settings *settings,
                            jtg_ngtcp2_verdict *verdict, jtg_error *err)
{
    jtg_ngtcp2_verdict found = JTG_NGTCP2_UNSURE;
    jtgi_adapter_error_begin(err);
    if (!is_usable(server, err) || hd == NULL || address == NULL || settings == NULL) {
        (void)jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                            "the server is incomplete, or hd, address or settings is NULL");
    } else {
        struct presented presented = {server, jtgi_packet_token(hd), address, address_len, now};
        found = judge(&presented, err);
        if (found == JTG_NGTCP2_VALID)
            jtgi_settings_set_token(settings, presented.token);
    }
    if (verdict != NULL)
        *verdict = found;
    return found == JTG_NGTCP2_VALID;
}
