/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics: what was counted, as Prometheus reads it (text format 0.0.4). */
#ifndef SERVE_EXPOSITION_H
#define SERVE_EXPOSITION_H

#include "bytes.h"
#include "serve/answer/responder.h"

/* false: memory is out. */
bool exposition_write(struct bytes *out, struct responder *responder);

#endif
