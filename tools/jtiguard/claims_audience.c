/* SPDX-License-Identifier: Apache-2.0 */
#include "claims_audience.h"

#include <stdio.h>
#include <string.h>

static jtg_text text_of(const json_t *string)
{
    return (jtg_text){json_string_value(string), json_string_length(string)};
}

static bool same(jtg_text a, jtg_text b)
{
    return a.data_len == b.data_len && memcmp(a.data, b.data, a.data_len) == 0;
}

static bool is_list_of_strings(const json_t *aud)
{
    if (!json_is_array(aud))
        return json_is_string(aud);
    for (size_t i = 0; i < json_array_size(aud); i++)
        if (!json_is_string(json_array_get(aud, i)))
            return false;
    return true;
}

static bool holds(const json_t *aud, jtg_text wanted)
{
    if (json_is_string(aud))
        return same(text_of(aud), wanted);
    for (size_t i = 0; i < json_array_size(aud); i++)
        if (same(text_of(json_array_get(aud, i)), wanted))
            return true;
    return false;
}

static int require(jtg_text *audience, const json_t *aud, jtg_text wanted)
{
    if (aud == NULL)
        return JTG_REASON_MISSING_AUDIENCE;
    if (!holds(aud, wanted))
        return TOOL_WRONG_AUDIENCE;
    *audience = wanted;
    return JTG_REASON_UNDECIDED;
}

static bool append_netstring(struct bytes *joined, jtg_text text)
{
    char prefix[32];
    (void)snprintf(prefix, sizeof prefix, "%zu:", text.data_len);
    return bytes_append_text(joined, prefix) && bytes_append(joined, text.data, text.data_len) &&
           bytes_append_text(joined, ",");
}

static int join(jtg_text *audience, struct bytes *joined, const json_t *aud)
{
    for (size_t i = 0; i < json_array_size(aud); i++)
        if (!append_netstring(joined, text_of(json_array_get(aud, i))))
            return JTG_REASON_OUT_OF_MEMORY;
    *audience = (jtg_text){joined->data, joined->len};
    return JTG_REASON_UNDECIDED;
}

int claims_audience_read(jtg_text *audience, struct bytes *joined, const json_t *aud,
                         jtg_text wanted)
{
    if (aud != NULL && !is_list_of_strings(aud))
        return TOOL_WRONG_TYPE;
    if (wanted.data_len > 0)
        return require(audience, aud, wanted);
    if (json_array_size(aud) > 1)
        return join(audience, joined, aud);
    if (json_array_size(aud) == 1)
        aud = json_array_get(aud, 0);
    if (json_is_string(aud))
        *audience = text_of(aud);
    return JTG_REASON_UNDECIDED;
}
