/* SPDX-License-Identifier: Apache-2.0 */
/* Slots that wander from one primary of a Cluster to another, with their keys. */
#ifndef TESTS_RELIABILITY_RESHARD_H
#define TESTS_RELIABILITY_RESHARD_H

#include "reliability/world.h"

/* Many slots by redis-cli, then one that is full of keys, slowly, by hand. Returns the parts that
 * were touched, as bits. Fails the test if slots cannot be moved. */
uint32_t reshard_run(struct world *world, struct server *from);

#endif
