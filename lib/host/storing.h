/* SPDX-License-Identifier: Apache-2.0 */
/* Values: the operations of backend.h. */
#ifndef JTGI_HOST_STORING_H
#define JTGI_HOST_STORING_H

#include "host/visit.h"

jtg_status jtgi_host_put(jtg_cache *self, const jtg_key *key, const void *value, size_t value_len,
                         uint64_t ttl_ms, size_t keep, jtg_error *err);
jtg_status jtgi_host_get(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err);
jtg_status jtgi_host_take(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err);
jtg_status jtgi_host_swap(jtg_cache *self, const jtg_key *key, const void *expected,
                          size_t expected_len, const void *value, size_t value_len, uint64_t ttl_ms,
                          jtg_error *err);
jtg_status jtgi_host_drop(jtg_cache *self, const jtg_key *key, jtg_error *err);

#endif
