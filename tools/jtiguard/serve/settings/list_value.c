/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/list_value.h"

#include "serve/verify/verify_settings.h"

#include <stdlib.h>
#include <string.h>

static const char *read_items(const char **items, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_string(item) || strlen(json_string_value(item)) != json_string_length(item))
            return "wants an array of texts";
        items[i] = json_string_value(item);
    }
    return NULL;
}

const char *text_list_read(struct text_list *list, const json_t *value)
{
    size_t count = json_is_string(value) ? 1 : json_array_size(value);
    if (count == 0 || count > VERIFY_LIST_LIMIT)
        return "wants a text, or an array of 1 to 64 texts";
    const char **items = calloc(count, sizeof *items);
    if (items == NULL)
        return "needs more memory than there is";
    const char *wrong = NULL;
    if (json_is_string(value))
        items[0] = json_string_value(value);
    else
        wrong = read_items(items, value);
    text_list_clear(list);
    *list = (struct text_list){items, count};
    return wrong;
}

void text_list_clear(struct text_list *list)
{
    /* The strings are the sources'; the array is ours. */
    union {
        const char *const *items;
        void *memory;
    } taken = {.items = list->items};
    free(taken.memory);
    *list = (struct text_list){NULL, 0};
}
