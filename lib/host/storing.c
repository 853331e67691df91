/* SPDX-License-Identifier: Apache-2.0 */
#include "host/storing.h"

#include "host/sweep.h"

/* Out again, as jtgi_host_visit_leave(). */
static bool leave(struct jtgi_host_visit *visit, jtg_status status, jtg_error *err)
{
    jtgi_host_sweep_if_due(visit);
    if (status == JTG_ERR_UNSAFE)
        (void)jtg_error_set(err, status, 0, "host store: a value in it is broken: a stray write");
    return jtgi_host_visit_leave(visit, status);
}

jtg_status jtgi_host_put(jtg_cache *self, const jtg_key *key, const void *value, size_t value_len,
                         uint64_t ttl_ms, size_t keep, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter(&visit, self, err);
        if (status != JTG_OK)
            return status;
        status = jtgi_table_check_end(visit.now, ttl_ms, err);
        if (status == JTG_OK)
            status = jtgi_value_area_put(visit.at->values, key, value, value_len, visit.now, ttl_ms,
                                         keep);
    } while (leave(&visit, status, err));
    return status;
}

jtg_status jtgi_host_get(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter(&visit, self, err);
        if (status != JTG_OK)
            return status;
        status = jtgi_value_area_get(visit.at->values, key, visit.now, value);
    } while (leave(&visit, status, err));
    return status;
}

jtg_status jtgi_host_take(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter(&visit, self, err);
        if (status != JTG_OK)
            return status;
        status = jtgi_value_area_take(visit.at->values, key, visit.now, value);
    } while (leave(&visit, status, err));
    return status;
}

jtg_status jtgi_host_swap(jtg_cache *self, const jtg_key *key, const void *expected,
                          size_t expected_len, const void *value, size_t value_len, uint64_t ttl_ms,
                          jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter(&visit, self, err);
        if (status != JTG_OK)
            return status;
        status = jtgi_table_check_end(visit.now, ttl_ms, err);
        if (status == JTG_OK)
            status = jtgi_value_area_swap(visit.at->values, key, expected, expected_len, value,
                                          value_len, visit.now, ttl_ms);
    } while (leave(&visit, status, err));
    return status;
}

jtg_status jtgi_host_drop(jtg_cache *self, const jtg_key *key, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter(&visit, self, err);
        if (status != JTG_OK)
            return status;
        status = jtgi_value_area_drop(visit.at->values, key, visit.now);
    } while (leave(&visit, status, err));
    return status;
}
