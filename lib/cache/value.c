/* SPDX-License-Identifier: Apache-2.0 */
#include "core/alloc.h"

#include <jtiguard/backend.h>
#include <string.h>

jtg_status jtg_value_set(jtg_value *value, const void *data, size_t data_len, uint64_t ttl_ms)
{
    unsigned char *copy = jtgi_alloc(data_len);
    if (copy == NULL)
        return JTG_ERR_MEMORY;
    memcpy(copy, data, data_len);
    value->data = copy;
    value->data_len = data_len;
    value->ttl_ms = ttl_ms;
    return JTG_OK;
}

void jtg_value_clear(jtg_value *value)
{
    if (value == NULL)
        return;
    jtgi_free_wiped(value->data, value->data_len);
    memset(value, 0, sizeof *value);
}
