/* SPDX-License-Identifier: Apache-2.0 */
/* The sweep needs no thread: a caller that finds the next step due does one. */
#ifndef JTGI_HOST_SWEEP_H
#define JTGI_HOST_SWEEP_H

#include "host/visit.h"

/* Of a pass: what sweep_at of the header counts. */
uint64_t jtgi_host_sweep_parts(const struct jtgi_host_attachment *at);

void jtgi_host_sweep_if_due(struct jtgi_host_visit *visit);

#endif
