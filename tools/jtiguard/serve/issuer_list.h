/* SPDX-License-Identifier: Apache-2.0 */
/* The issuers, from JSON to what the verifier takes. One that is told by options alone is a list
 * of one. */
#ifndef SERVE_ISSUER_LIST_H
#define SERVE_ISSUER_LIST_H

#include "service_sources.h"
#include "verify_settings.h"

struct issuer_list {
    struct issuer_settings *items;
    size_t count;
    struct claim_header *headers; /* those of all issuers, in one piece */
    char *header_texts;           /* their names and claims */
    json_t *single;               /* the list of one, where options tell it */
};

/* Strings point into the sources. No issuer at all is a list of none. */
bool issuer_list_read(struct issuer_list *list, const struct service_sources *sources,
                      struct settings_problem *problem);
void issuer_list_clear(struct issuer_list *list);

/* For people and for `config dump`: what is in effect. NULL when memory is out. */
json_t *issuer_list_dump(const struct issuer_list *list);

#endif
