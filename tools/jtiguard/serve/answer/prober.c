/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/prober.h"

#include "monotonic.h"
#include "serve/answer/service_log.h"
#include "ticker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A probe that takes longer than any sensible store's timeout has told enough. */
enum { STALE_MS = 10 * PROBER_INTERVAL_MS };

struct prober {
    jtg_guard *guard;
    struct service_log *log;
    struct ticker *ticker;
    pthread_mutex_t lock; /* what stands below */
    jtg_status status;
    char text[JTG_ERROR_TEXT_BYTES];
    int64_t asked_ns; /* when the last probe came back */
};

/* The one place that says what "could admit" means. */
static jtg_status serve_ready(const struct prober *prober, jtg_error *err)
{
    return jtg_guard_ping(prober->guard, err);
}

static void log_change(const struct prober *prober, jtg_status before, jtg_status now,
                       const jtg_error *err)
{
    const struct log_field fields[] = {{"status", jtg_status_name(now)},
                                       {"text", err->text[0] != '\0' ? err->text : NULL},
                                       {NULL, NULL}};
    if (before != now)
        service_log_event(prober->log, now == JTG_OK ? JTG_LOG_INFO : JTG_LOG_ERROR,
                          now == JTG_OK ? "store_ready" : "store_not_ready", fields);
}

static void probe(struct prober *prober)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = serve_ready(prober, &err);
    (void)pthread_mutex_lock(&prober->lock);
    jtg_status before = prober->status;
    prober->status = status;
    memcpy(prober->text, err.text, sizeof prober->text);
    prober->asked_ns = monotonic_ns();
    (void)pthread_mutex_unlock(&prober->lock);
    log_change(prober, before, status, &err);
}

static int64_t probe_again(void *context)
{
    probe(context);
    return PROBER_INTERVAL_MS;
}

struct prober *prober_new(jtg_guard *guard, struct service_log *log)
{
    struct prober *prober = calloc(1, sizeof *prober);
    if (prober == NULL)
        return NULL;
    prober->guard = guard;
    prober->log = log;
    (void)pthread_mutex_init(&prober->lock, NULL);
    probe(prober);
    prober->ticker = ticker_new(probe_again, prober, PROBER_INTERVAL_MS);
    if (prober->ticker != NULL)
        return prober;
    prober_free(prober);
    return NULL;
}

void prober_free(struct prober *prober)
{
    if (prober == NULL)
        return;
    ticker_free(prober->ticker);
    (void)pthread_mutex_destroy(&prober->lock);
    free(prober);
}

jtg_status prober_explain(struct prober *prober, char text[JTG_ERROR_TEXT_BYTES])
{
    (void)pthread_mutex_lock(&prober->lock);
    jtg_status status = prober->status;
    memcpy(text, prober->text, sizeof prober->text);
    int64_t age_ns = monotonic_ns() - prober->asked_ns;
    (void)pthread_mutex_unlock(&prober->lock);
    if (age_ns <= (int64_t)STALE_MS * 1000000)
        return status;
    (void)snprintf(text, JTG_ERROR_TEXT_BYTES, "the last probe has not come back");
    return JTG_ERR_TIMEOUT;
}

jtg_status prober_status(struct prober *prober)
{
    char text[JTG_ERROR_TEXT_BYTES];
    return prober_explain(prober, text);
}
