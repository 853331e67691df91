/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of examples/forking_server.c. */
#ifndef TESTS_RECIPES_LINES_H
#define TESTS_RECIPES_LINES_H

#include "recipes/crowd.h"
#include "recipes/place.h"

/* The context of a crowd_server begins with it. */
struct lines {
    struct place place;
    const char *doors[CROWD_SHOWN]; /* the unix socket of each connection */
};

extern const struct crowd_server lines_server;

#endif
