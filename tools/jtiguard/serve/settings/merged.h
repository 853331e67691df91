/* SPDX-License-Identifier: Apache-2.0 */
/* What all sources of settings say together (service_sources.h), under the names that the file has
 * for them. */
#ifndef SERVE_MERGED_H
#define SERVE_MERGED_H

#include <jansson.h>

struct merged {
    json_t *values;  /* member: a text, or what the file holds */
    json_t *origins; /* member: what to call it in a message, e.g. "--threads" */
    json_t *formers; /* member: a former name that was used */
};

/* What a member is called where it came from. */
const char *merged_origin(const struct merged *merged, const char *name);

void merged_clear(struct merged *merged);

#endif
