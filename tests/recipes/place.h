/* SPDX-License-Identifier: Apache-2.0 */
/* Where a recipe is tried: a folder on a tmpfs, a store in it that has forgotten nothing, and a log
 * of all programs. Asserts. */
#ifndef TESTS_RECIPES_PLACE_H
#define TESTS_RECIPES_PLACE_H

#include "serve/processes.h"

struct place {
    char folder[64];
    char store[96]; /* as the tool and the examples take it */
    char log_path[96];
};

void place_init(struct place *place);
/* A store that this group may use too. */
void place_init_for(struct place *place, const char *group);
void place_end(struct place *place);

/* A path in the folder. Valid until the next call but one. */
const char *place_path(const struct place *place, const char *name);

/* Fail the test, with the end of the log. */
__attribute__((noreturn)) void place_fail(const struct place *place, const char *what);

#endif
