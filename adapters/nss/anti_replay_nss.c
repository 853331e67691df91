/* SPDX-License-Identifier: Apache-2.0 */
/* NSS judges freshness: it takes a flight up to a window before and after the moment that its
 * ticket's age tells. So that moment is not known here, only that it is at most a window away, and
 * that a copy is taken nowhere later than two windows from now, nor was two windows ago: which is
 * what a flight is given out as that is expected now, with a window twice as wide. Of an earlier
 * copy the same was said as much as two windows earlier.
 *
 * NSS asks its own filter, and verifies the binder, after us. Each may still refuse what was
 * recorded here; none can accept what was not. */
#include "adapters/error.h"
#include "adapters/nss/client_hello.h"
#include "adapters/nss/experimental.h"
#include "adapters/nss/hello_layer.h"
#include "adapters/nss/nss_error.h"

#include <jtiguard/anti_replay_nss.h>
#include <jtiguard/extend.h>
#include <prtime.h>
#include <stdlib.h>

#define OPTIONS_OLDEST_SIZE sizeof(jtg_anti_replay_options)

enum {
    /* NSS's filter: 2^20 bits and 7 hashes, twice; 256 KiB. One of a hundred honest flights is
     * refused at 100,000 a window. */
    FILTER_HASHES = 7,
    FILTER_BITS = 20
};

struct jtg_anti_replay_nss {
    jtg_anti_replay *anti_replay;
    SSLAntiReplayContext *context;
    jtg_clock clock;
    uint32_t window_ms; /* to either side */
};

void jtg_anti_replay_nss_options_init(jtg_anti_replay_options *options)
{
    jtg_anti_replay_options_init(options);
    if (options != NULL)
        options->mode = JTG_ANTI_REPLAY_TIME_WINDOWED;
}

/* ---- life ---- */

static jtg_status read_options(jtg_anti_replay_options *options,
                               const jtg_anti_replay_options *given, jtg_error *err)
{
    jtg_anti_replay_nss_options_init(options);
    jtg_status status = jtg_struct_read(options, sizeof *options, OPTIONS_OLDEST_SIZE, given,
                                        "anti-replay options", err);
    if (status != JTG_OK)
        return status;
    if (options->mode != JTG_ANTI_REPLAY_TIME_WINDOWED)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "mode is not time_windowed, the one of NSS");
    if (options->window_ms < 100 || options->window_ms > JTG_ANTI_REPLAY_NSS_WINDOW_MS_LIMIT)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "window_ms is not between 100 and %u",
                             JTG_ANTI_REPLAY_NSS_WINDOW_MS_LIMIT);
    return JTG_OK;
}

/* NSS's window is as wide as both sides together. It began one ago: NSS then does not wait for its
 * end. */
static jtg_status set_up(jtg_anti_replay_nss *made, jtg_cache *cache,
                         jtg_anti_replay_options *options, jtg_error *err)
{
    PRTime window_us = (PRTime)options->window_ms * 2 * PR_USEC_PER_MSEC;
    made->window_ms = options->window_ms;
    made->clock = jtg_clock_system();
    options->window_ms *= 2;
    jtg_status status = jtg_anti_replay_new(&made->anti_replay, cache, options, err);
    if (status != JTG_OK)
        return status;
    if (options->clock != NULL)
        made->clock = *options->clock;
    if (SSL_CreateAntiReplayContext(PR_Now() - window_us, window_us, FILTER_HASHES, FILTER_BITS,
                                    &made->context) != SECSuccess)
        return jtgi_nss_error_set(err, "cannot make an anti-replay context");
    return JTG_OK;
}

jtg_status jtg_anti_replay_nss_new(jtg_anti_replay_nss **guard, jtg_cache *cache,
                                   const jtg_anti_replay_options *options, jtg_error *err)
{
    jtg_anti_replay_options own;
    jtgi_adapter_error_begin(err);
    if (guard == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the object");
    *guard = NULL;
    jtg_status status = read_options(&own, options, err);
    if (status != JTG_OK)
        return status;
    jtg_anti_replay_nss *made = calloc(1, sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the object");
    status = set_up(made, cache, &own, err);
    if (status != JTG_OK) {
        jtg_anti_replay_nss_free(made);
        return status;
    }
    *guard = made;
    return JTG_OK;
}

void jtg_anti_replay_nss_free(jtg_anti_replay_nss *guard)
{
    if (guard == NULL)
        return;
    if (guard->context != NULL)
        (void)SSL_ReleaseAntiReplayContext(guard->context);
    jtg_anti_replay_free(guard->anti_replay);
    free(guard);
}

/* ---- deciding ---- */

/* Nothing of the ticket's times is known; NSS has opened it, so it has not ended. */
static void fill_flight(jtg_flight *flight, const jtg_anti_replay_nss *guard,
                        const struct jtgi_client_hello *hello)
{
    int64_t window_ms = 2 * (int64_t)guard->window_ms;
    flight->ticket = hello->ticket;
    flight->ticket_len = hello->ticket_len;
    flight->issued_ms = guard->clock.wall_ms(guard->clock.context) - window_ms;
    flight->age_ms = (uint64_t)window_ms;
    flight->lifetime_ms = 3 * (uint64_t)window_ms;
    flight->apart_ms = (uint64_t)window_ms;
}

/* An encrypted ClientHello cannot be parted from the one around it, which has the same extensions
 * for early data, with a ticket made up for each: it is recognised by that. Where that
 * wants none, what is inside should not either, and gets none.
 *
 * A hello that cannot be read is given on without a ticket, so that it is counted where the
 * operator looks. */
static bool may_go_on(const struct jtgi_hello_layer *layer)
{
    const jtg_anti_replay_nss *guard = layer->owner;
    struct jtgi_client_hello hello;
    jtg_flight flight = JTG_FLIGHT_INIT;
    size_t len = layer->len;
    if (layer->bytes != NULL && !layer->overrun && layer->datagram)
        len = jtgi_client_hello_join(layer->bytes, layer->datagrams, layer->datagram_count);
    if (layer->bytes != NULL && !layer->overrun &&
        jtgi_client_hello_read(&hello, layer->bytes, len, layer->datagram)) {
        if (!hello.early_data)
            return !hello.hides_another;
        fill_flight(&flight, guard, &hello);
    }
    return jtg_anti_replay_accept(guard->anti_replay, &flight, NULL, NULL);
}

/* A second ClientHello has no early data: NSS refuses one that has. */
/* NOLINTBEGIN(readability-non-const-parameter): the type is NSS's */
static SSLHelloRetryRequestAction decide(PRBool first, const PRUint8 *token, unsigned token_len,
                                         PRUint8 *retry, unsigned *retry_len, unsigned retry_max,
                                         void *context)
{
    struct jtgi_hello_layer *layer = context;
    (void)token;
    (void)token_len;
    (void)retry;
    (void)retry_max;
    *retry_len = 0;
    if (!first)
        return ssl_hello_retry_accept;
    bool accepted = may_go_on(layer);
    jtgi_hello_layer_done(layer);
    return accepted ? ssl_hello_retry_accept : ssl_hello_retry_reject_0rtt;
}
/* NOLINTEND(readability-non-const-parameter) */

/* The guard comes first: a socket never takes early data without it. */
jtg_status jtg_anti_replay_nss_enable(jtg_anti_replay_nss *guard, PRFileDesc *fd, jtg_error *err)
{
    jtgi_adapter_error_begin(err);
    if (guard == NULL || fd == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "guard or fd is NULL");
    if (!jtgi_nss_is_socket(fd))
        return jtgi_nss_error_set(err, "fd is none of its sockets");
    struct jtgi_hello_layer *layer = jtgi_hello_layer_push(fd, guard);
    if (layer == NULL || SSL_HelloRetryRequestCallback(fd, decide, layer) != SECSuccess ||
        SSL_SetAntiReplayContext(fd, guard->context) != SECSuccess ||
        SSL_OptionSet(fd, SSL_ENABLE_0RTT_DATA, PR_TRUE) != SECSuccess)
        return jtgi_nss_error_set(err, "cannot guard the socket");
    return JTG_OK;
}

uint64_t jtg_anti_replay_nss_counter(const jtg_anti_replay_nss *guard, jtg_flight_reason reason)
{
    return guard == NULL ? 0 : jtg_anti_replay_counter(guard->anti_replay, reason);
}
