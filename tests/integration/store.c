/* SPDX-License-Identifier: Apache-2.0 */
#include "integration/store.h"

#include "support/asserts.h"
#include "support/history.h"

#include <errno.h>
#include <jtiguard/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TTL_MS = 60000 };

const char *store_uri(void)
{
    const char *uri = getenv("JTIGUARD_TEST_REDIS_URI");
    if (uri == NULL)
        fail_msg("JTIGUARD_TEST_REDIS_URI is not set: run this by tests/integration/with-redis");
    return uri;
}

void store_address(char *host, size_t host_len, uint16_t *port)
{
    static const char scheme[] = "redis://";
    const char *start = store_uri() + strlen(scheme);
    const char *colon = strchr(start, ':');
    if (strncmp(store_uri(), scheme, strlen(scheme)) != 0 || colon == NULL) {
        fail_msg("JTIGUARD_TEST_REDIS_URI is not redis://host:port");
        return;
    }
    snprintf(host, host_len, "%.*s", (int)(colon - start), start);
    *port = (uint16_t)store_number(colon + 1, UINT16_MAX);
}

unsigned long store_number(const char *text, unsigned long most)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    assert_true(end != text && number <= most);
    return number;
}

void store_uri_with(char *out, size_t out_len, const char *uri, const char *part)
{
    const char *joint = strchr(uri, '?') == NULL ? "?" : "&";
    int len = snprintf(out, out_len, "%s%s%s", uri, joint, part);
    assert_true(len > 0 && (size_t)len < out_len);
}

void store_prefix(char out[STORE_NAME_BYTES], const char *name)
{
    snprintf(out, STORE_NAME_BYTES, "%s-%llx:", name, (unsigned long long)history_now_ns());
}

jtg_cache *store_open(const char *uri)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_redis_new_uri(&cache, uri, &err) != JTG_OK)
        fail_msg("no cache: %s (%s)", jtg_status_name(err.status), err.text);
    return cache;
}

jtg_key store_key(char buffer[STORE_NAME_BYTES], uint64_t n)
{
    int len = snprintf(buffer, STORE_NAME_BYTES, "key-%llu", (unsigned long long)n);
    jtg_key key = {buffer, (size_t)len, NULL, 0};
    return key;
}

jtg_owner store_owner(uint64_t n)
{
    jtg_owner owner = {{0}};
    memcpy(owner.bytes, &n, sizeof n);
    return owner;
}

jtg_status store_reserve(jtg_cache *cache, uint64_t key_number, uint64_t owner_number)
{
    char buffer[STORE_NAME_BYTES];
    jtg_key key = store_key(buffer, key_number);
    jtg_owner owner = store_owner(owner_number);
    return jtg_cache_reserve(cache, &key, &owner, TTL_MS, NULL);
}

jtg_status store_reserve_timed(jtg_cache *cache, uint64_t key, uint64_t owner, uint64_t *took_ms)
{
    uint64_t start_ns = history_now_ns();
    jtg_status status = store_reserve(cache, key, owner);
    *took_ms = (history_now_ns() - start_ns) / 1000000;
    return status;
}

void store_sleep_ms(uint64_t ms)
{
    struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
}
