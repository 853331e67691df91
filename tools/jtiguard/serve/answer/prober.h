/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the service could admit a token now: a thread reserves a probe in the store once a
 * second. Who asks gets what it found, so that a readiness check never waits for a store that
 * hangs, and a flood of them costs the store nothing. */
#ifndef SERVE_PROBER_H
#define SERVE_PROBER_H

#include <jtiguard/guard.h>

struct prober;
struct service_log;

enum { PROBER_INTERVAL_MS = 1000 };

/* Asks once before it returns. All borrowed. NULL when memory or a thread cannot be had. */
struct prober *prober_new(jtg_guard *guard, struct service_log *log);
void prober_free(struct prober *prober);

/* JTG_OK: it could. Anything else says why not; JTG_ERR_TIMEOUT also when the probe itself has
 * not come back for a while. */
jtg_status prober_status(struct prober *prober);

/* The same with what there is to say of it, for people; "" if nothing. */
jtg_status prober_explain(struct prober *prober, char text[JTG_ERROR_TEXT_BYTES]);

#endif
