/* SPDX-License-Identifier: Apache-2.0 */
/* GnuTLS finds a flight fresh if it arrives at the moment that its ticket's age tells, or up to the
 * window later, and then asks. So the moment itself is not known here, only that it is at most a
 * window ago, and that no server accepts the flight later than a window from now: which is what a
 * flight is given out as that is expected now. "Now" is when GnuTLS judged, not when we are asked:
 * a thread that was stopped in between must not get a record that ends too soon. It is known to the
 * second, and the rest of that second is added to the margin. */
#include "adapters/gnutls/anti_replay_gnutls.h"

#include "adapters/error.h"
#include "adapters/gnutls/db_entry.h"

#include <jtiguard/extend.h>

#define OPTIONS_OLDEST_SIZE sizeof(jtg_anti_replay_options)

enum { ROUNDING_MS = 1000 };

struct jtg_anti_replay_gnutls {
    jtg_anti_replay *anti_replay;
    gnutls_anti_replay_t gnutls;
    uint32_t window_ms;
};

void jtg_anti_replay_gnutls_options_init(jtg_anti_replay_options *options)
{
    jtg_anti_replay_options_init(options);
    if (options != NULL)
        options->mode = JTG_ANTI_REPLAY_BINDER;
}

/* ---- life ---- */

static jtg_status read_options(jtg_anti_replay_options *options,
                               const jtg_anti_replay_options *given, jtg_error *err)
{
    jtg_anti_replay_gnutls_options_init(options);
    jtg_status status = jtg_struct_read(options, sizeof *options, OPTIONS_OLDEST_SIZE, given,
                                        "anti-replay options", err);
    if (status != JTG_OK)
        return status;
    if (options->mode != JTG_ANTI_REPLAY_BINDER)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "mode is not binder, the one of GnuTLS");
    if (options->margin_ms < 1000 || options->margin_ms > JTG_ANTI_REPLAY_GNUTLS_MARGIN_MS_LIMIT)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "margin_ms is not between 1000 and %u",
                             JTG_ANTI_REPLAY_GNUTLS_MARGIN_MS_LIMIT);
    return JTG_OK;
}

static jtg_status set_up(jtg_anti_replay_gnutls *made, jtg_cache *cache,
                         jtg_anti_replay_options *options, jtg_error *err)
{
    made->window_ms = options->window_ms;
    options->margin_ms += ROUNDING_MS;
    jtg_status status = jtg_anti_replay_new(&made->anti_replay, cache, options, err);
    if (status != JTG_OK)
        return status;
    if (gnutls_anti_replay_init(&made->gnutls) != GNUTLS_E_SUCCESS)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for GnuTLS's object");
    gnutls_anti_replay_set_window(made->gnutls, made->window_ms);
    gnutls_anti_replay_set_ptr(made->gnutls, made);
    gnutls_anti_replay_set_add_function(made->gnutls, jtgi_anti_replay_gnutls_add);
    return JTG_OK;
}

jtg_status jtg_anti_replay_gnutls_new(jtg_anti_replay_gnutls **anti_replay, jtg_cache *cache,
                                      const jtg_anti_replay_options *options, jtg_error *err)
{
    jtg_anti_replay_options own;
    jtgi_adapter_error_begin(err);
    if (anti_replay == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the object");
    *anti_replay = NULL;
    jtg_status status = read_options(&own, options, err);
    if (status != JTG_OK)
        return status;
    jtg_anti_replay_gnutls *made = gnutls_calloc(1, sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the object");
    status = set_up(made, cache, &own, err);
    if (status != JTG_OK) {
        jtg_anti_replay_gnutls_free(made);
        return status;
    }
    *anti_replay = made;
    return JTG_OK;
}

void jtg_anti_replay_gnutls_free(jtg_anti_replay_gnutls *anti_replay)
{
    if (anti_replay == NULL)
        return;
    if (anti_replay->gnutls != NULL)
        gnutls_anti_replay_deinit(anti_replay->gnutls);
    jtg_anti_replay_free(anti_replay->anti_replay);
    gnutls_free(anti_replay);
}

/* ---- deciding ---- */

/* Expected at the end of the second in which GnuTLS judged: issued a window before it, to say no
 * more than that it was not earlier. Its ticket ends later than its freshness, as GnuTLS has seen
 * to. */
static void fill_flight(jtg_flight *flight, const struct jtgi_db_entry *entry, uint32_t window_ms)
{
    int64_t expected_ms = entry->judged_s * 1000 + ROUNDING_MS - 1;
    flight->binder = entry->binder;
    flight->binder_len = entry->binder_len;
    flight->issued_ms = expected_ms - window_ms;
    flight->age_ms = window_ms;
    flight->lifetime_ms = 3 * (uint64_t)window_ms;
    flight->apart_ms = (uint64_t)window_ms + ROUNDING_MS;
}

/* GnuTLS only looks at the sign. An entry that is not known is given on without a binder, so that
 * it is counted where the operator looks. */
int jtgi_anti_replay_gnutls_add(void *context, time_t end, const gnutls_datum_t *key,
                                const gnutls_datum_t *data)
{
    jtg_anti_replay_gnutls *anti_replay = context;
    struct jtgi_db_entry entry;
    jtg_flight flight = JTG_FLIGHT_INIT;
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    if (jtgi_db_entry_read(&entry, anti_replay->window_ms, end, key, data))
        fill_flight(&flight, &entry, anti_replay->window_ms);
    if (jtg_anti_replay_accept(anti_replay->anti_replay, &flight, &decision, NULL))
        return GNUTLS_E_SUCCESS;
    return decision.seen == JTG_SEEN_BEFORE ? GNUTLS_E_DB_ENTRY_EXISTS : GNUTLS_E_DB_ERROR;
}

void jtg_anti_replay_gnutls_enable(jtg_anti_replay_gnutls *anti_replay, gnutls_session_t session)
{
    gnutls_anti_replay_enable(session, anti_replay != NULL ? anti_replay->gnutls : NULL);
}

uint64_t jtg_anti_replay_gnutls_counter(const jtg_anti_replay_gnutls *anti_replay,
                                        jtg_flight_reason reason)
{
    return anti_replay == NULL ? 0 : jtg_anti_replay_counter(anti_replay->anti_replay, reason);
}
