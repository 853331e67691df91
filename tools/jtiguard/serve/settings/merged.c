/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/merged.h"

const char *merged_origin(const struct merged *merged, const char *name)
{
    const char *origin = json_string_value(json_object_get(merged->origins, name));
    return origin != NULL ? origin : name;
}

void merged_clear(struct merged *merged)
{
    json_decref(merged->values);
    json_decref(merged->origins);
    json_decref(merged->formers);
    *merged = (struct merged){NULL, NULL, NULL};
}
