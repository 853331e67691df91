/* SPDX-License-Identifier: Apache-2.0 */
/* Stands between QUIC clients and a server, hands every datagram on, and reads what is in clear:
 * the tokens of Initials. It shares no code with what it watches.
 *
 * A client sends its token in each of its Initials, so a token counts once for each connection,
 * which is known by the ID that the client chose for itself. */
#ifndef TESTS_ADAPTERS_NGTCP2_INITIAL_RELAY_H
#define TESTS_ADAPTERS_NGTCP2_INITIAL_RELAY_H

#include <stddef.h>
#include <stdint.h>

enum { RELAY_DATAGRAM_MAX_BYTES = 65536 };

struct relay_count {
    unsigned connections; /* IDs of clients */
    unsigned with_token;  /* of them, those that began with a token of a NEW_TOKEN frame */
    unsigned retried;     /* connections that went on with the token of a Retry */
    unsigned twice;       /* tokens that two connections presented */
    unsigned faults;      /* what the relay could not do: none is expected */
};

struct initial_relay;

/* Between its own port and that of a server, both on 127.0.0.1. Failures assert. */
struct initial_relay *initial_relay_start(uint16_t server_port, uint16_t *port);

/* What was seen so far. */
struct relay_count initial_relay_count(struct initial_relay *relay);

/* The last datagram that began a connection with such a token; its length, 0: there was none. */
size_t initial_relay_last(struct initial_relay *relay, uint8_t datagram[RELAY_DATAGRAM_MAX_BYTES]);

void initial_relay_stop(struct initial_relay *relay);

/* Whether a datagram begins with a Retry. */
int is_retry_packet(const uint8_t *datagram, size_t len);

/* Where the token of a datagram's first packet is; NULL: it is no Initial, or has none. */
uint8_t *initial_token(uint8_t *datagram, size_t len, size_t *token_len);

#endif
