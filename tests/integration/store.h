/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs of this folder need to speak to a Redis. */
#ifndef TESTS_INTEGRATION_STORE_H
#define TESTS_INTEGRATION_STORE_H

#include <jtiguard/cache.h>
#include <stdbool.h>
#include <stdint.h>

enum { STORE_URI_BYTES = 512, STORE_NAME_BYTES = 48 };

/* The server that with-redis made available; without one the test fails. */
const char *store_uri(void);

/* Where that server listens. */
void store_address(char *host, size_t host_len, uint16_t *port);

/* The decimal number at the start of text, at most `most`; what follows it does not matter. */
unsigned long store_number(const char *text, unsigned long most);

/* A URI with one more part of its query, e.g. "timeout=250ms". */
void store_uri_with(char *out, size_t out_len, const char *uri, const char *part);

/* A prefix that no other run uses, so that runs on one server do not meet. */
void store_prefix(char out[STORE_NAME_BYTES], const char *name);

/* Open a cache, or fail the test. */
jtg_cache *store_open(const char *uri);

/* Key number n, and owner number n, of a test. buffer lives as long as the key. */
jtg_key store_key(char buffer[STORE_NAME_BYTES], uint64_t n);
jtg_owner store_owner(uint64_t n);

/* Reserve key `key` for owner `owner` for a minute. Asserts nothing, so any thread may call it. */
jtg_status store_reserve(jtg_cache *cache, uint64_t key, uint64_t owner);

/* The same, and how long the call took. */
jtg_status store_reserve_timed(jtg_cache *cache, uint64_t key, uint64_t owner, uint64_t *took_ms);

void store_sleep_ms(uint64_t ms);

#endif
