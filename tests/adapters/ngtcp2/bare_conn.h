/* SPDX-License-Identifier: Apache-2.0 */
/* What the adapter looks at of ngtcp2, without a handshake. */
#ifndef TESTS_ADAPTERS_NGTCP2_BARE_CONN_H
#define TESTS_ADAPTERS_NGTCP2_BARE_CONN_H

#include <ngtcp2/ngtcp2.h>

/* A client's connection that has sent nothing: it knows its version, and has measured no time.
 * settings: NULL = the defaults. For ngtcp2_conn_del(); NULL: out of memory. */
ngtcp2_conn *bare_conn_new(uint32_t version, const ngtcp2_settings *settings);

/* The header of a packet with this token, borrowed. */
void bare_packet(ngtcp2_pkt_hd *hd, const uint8_t *token, size_t token_len);

#endif
