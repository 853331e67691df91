/* SPDX-License-Identifier: Apache-2.0 */
/* The issuers, from JSON to what the verifier takes. One that is told by options alone is a list
 * of one. */
#ifndef SERVE_ISSUER_LIST_H
#define SERVE_ISSUER_LIST_H

#include "serve/settings/problem.h"
#include "serve/verify/verify_settings.h"

#include <jansson.h>
#include <stdbool.h>

struct issuer_list {
    struct issuer_settings *items;
    size_t count;
    struct claim_header *headers; /* those of all issuers, in one piece */
    char *header_texts;           /* their names and claims */
};

/* Of an array of objects, which the strings then point into. On failure the list is still to be
 * cleared. */
bool issuer_list_read(struct issuer_list *list, const json_t *entries,
                      struct settings_problem *problem);
void issuer_list_clear(struct issuer_list *list);

/* For people and for `config dump`: what is in effect. NULL when memory is out. */
json_t *issuer_list_dump(const struct issuer_list *list);

#endif
