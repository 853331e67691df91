/* SPDX-License-Identifier: Apache-2.0 */
/* A list of texts, as JSON has it. */
#ifndef SERVE_LIST_VALUE_H
#define SERVE_LIST_VALUE_H

#include "text_list.h"

#include <jansson.h>

/* A list of texts, or one text. NULL, or what is wrong. items are freed by text_list_clear(). */
const char *text_list_read(struct text_list *list, const json_t *value);
void text_list_clear(struct text_list *list);

#endif
