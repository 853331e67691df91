/* SPDX-License-Identifier: Apache-2.0 */
/* A server that gets first flights with early data, some of them copies.
 *
 * In your server the fields come from your TLS library, after it has verified the binder: the
 * ticket's id, issue time and lifetime out of the opened ticket, the age from the ClientHello. */
#include <jtiguard/jtiguard.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TICKET_LIFETIME_S = 3600, TICKET_AGE_ADD = 0x5bd1e995 };

struct hello {
    const char *ticket_id;
    uint32_t obfuscated_ticket_age;
};

static int64_t now_ms(void)
{
    return (int64_t)time(NULL) * 1000;
}

/* Early data is the only thing that is refused here: the handshake goes on either way. */
static int accept_early_data(jtg_anti_replay *anti_replay, const struct hello *hello,
                             int64_t issued_ms)
{
    jtg_flight flight = JTG_FLIGHT_INIT;
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    flight.ticket = hello->ticket_id;
    flight.ticket_len = strlen(hello->ticket_id);
    flight.issued_ms = issued_ms;
    flight.lifetime_ms = TICKET_LIFETIME_S * UINT64_C(1000);
    flight.age_ms = jtg_ticket_age_ms(hello->obfuscated_ticket_age, TICKET_AGE_ADD);
    int accepted = jtg_anti_replay_accept(anti_replay, &flight, &decision, NULL);
    printf("%s: %s, %s\n", hello->ticket_id, jtg_seen_name(decision.seen),
           jtg_flight_reason_name(decision.reason));
    return accepted;
}

static int run(jtg_anti_replay *anti_replay)
{
    int64_t issued_ms = now_ms() - 120000;
    struct hello first = {"ticket-1", TICKET_AGE_ADD + 120000U};
    struct hello second = {"ticket-2", TICKET_AGE_ADD + 120000U};
    struct hello stale = {"ticket-3", TICKET_AGE_ADD + 60000U}; /* captured a minute ago */
    int accepted = accept_early_data(anti_replay, &first, issued_ms);
    accepted += accept_early_data(anti_replay, &first, issued_ms); /* the same flight again */
    accepted += accept_early_data(anti_replay, &second, issued_ms);
    accepted += accept_early_data(anti_replay, &stale, issued_ms);
    return accepted == 2 ? 0 : 1;
}

int main(void)
{
    jtg_cache *cache = NULL;
    jtg_anti_replay *anti_replay = NULL;
    jtg_anti_replay_options options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    /* Only so that the example can show something at once: this store begins with the process, and
     * a real server leaves the rule on, or shares a Redis that outlives it. */
    options.start_rule = 0;
    if (jtg_memory_new(&cache, NULL, NULL) != JTG_OK ||
        jtg_anti_replay_new(&anti_replay, cache, &options, NULL) != JTG_OK) {
        fprintf(stderr, "no anti-replay: accept no early data\n");
        jtg_cache_free(cache);
        return 1;
    }
    int code = run(anti_replay);
    jtg_anti_replay_free(anti_replay);
    jtg_cache_free(cache);
    return code;
}
