/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of an instance: each question goes on to another instance, which decides; its
 * answer is thrown away and the connection closed, as when a network breaks at the wrong moment. */
#ifndef TESTS_SERVE_LOSSY_RELAY_H
#define TESTS_SERVE_LOSSY_RELAY_H

#include <stdint.h>

struct lossy_relay;

/* Serves on a port of 127.0.0.1 in a thread of its own. */
struct lossy_relay *lossy_relay_start(uint16_t port, uint16_t to_port);
void lossy_relay_stop(struct lossy_relay *relay);

/* How many answers got lost so far. */
unsigned lossy_relay_lost(const struct lossy_relay *relay);

#endif
