/* SPDX-License-Identifier: Apache-2.0 */
/* A slot that could not be marked when the connection was made. */
#ifndef JTGI_REDIS_LATE_MARKING_H
#define JTGI_REDIS_LATE_MARKING_H

#include "redis/ask/request.h"

/* It came from another node of the Cluster meanwhile: then its marker names that one, and no longer
 * tells whether that one had forgotten something. Or the server, full or short of replicas, took no
 * writes. Either way it has certainly kept everything from now on only.
 *
 * The request is one whose answer said UNMARKED; its deadline and its error are used.
 *
 * Returns: JTG_OK (the next look will find it) · what the server's errors mean */
jtg_status jtgi_mark_late(const struct jtgi_request *request, uint16_t slot);

#endif
