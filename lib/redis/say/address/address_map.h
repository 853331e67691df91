/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that are announced inside a network, and where they are reached from here: what a
 * Sentinel or a Cluster names may be that of a container, or lie behind a translation. A text,
 * "from-host[:port]=to-host[:port],…"; what has no port means every port, and keeps it. No I/O, no
 * locks. */
#ifndef JTGI_REDIS_ADDRESS_MAP_H
#define JTGI_REDIS_ADDRESS_MAP_H

#include "redis/say/address/address.h"

/* NULL, or what is wrong with it. No map is none. */
const char *jtgi_address_map_problem(const char *map);

/* Where to connect to instead: by host and port, else by host alone; then likewise by the other
 * host. What no entry is for stays as it is, and so does what is mapped already. The map must have
 * no problem. */
void jtgi_address_map_apply(const char *map, struct jtgi_address *address);

#endif
