/* SPDX-License-Identifier: Apache-2.0 */
/* A file of TLS tickets in a folder of its own, and tickets that tell by their bytes which they
 * are. */
#ifndef TESTS_SUPPORT_TLS_CACHE_H
#define TESTS_SUPPORT_TLS_CACHE_H

#include "support/test_clock.h"

#include <jtiguard/tls_tickets.h>

enum { TLS_CACHE_TICKET_BYTES = 200 };

struct tls_cache {
    char folder[64];
    char path[96];
    char key_path[96];
    struct test_clock clock;
    jtg_clock clock_option;
    jtg_tls_tickets_options options; /* the defaults, with that clock */
};

/* Makes the folder, in memory where there is /dev/shm: what a process that is killed leaves is the
 * same there, without a disk's wait at each fsync(). Returns false if that cannot be done. */
bool tls_cache_set_up(struct tls_cache *cache);

/* Removes the folder and the files in it. Returns how many there were. */
unsigned tls_cache_tear_down(struct tls_cache *cache);

/* Beside the file: "" is the file itself, ".lock", … */
void tls_cache_beside(const struct tls_cache *cache, const char *suffix, char path[128]);

/* Opened with cache->options; NULL when that fails. */
jtg_tls_tickets *tls_cache_open(const struct tls_cache *cache);

/* Writes a key file and names it in the options. */
bool tls_cache_make_key(struct tls_cache *cache);

jtg_endpoint tls_cache_endpoint(const char *host);

/* A ticket of 200 bytes that begin with its number; `bytes` keeps them. Lives for two hours. */
jtg_tls_ticket tls_cache_ticket(uint32_t number, unsigned char bytes[TLS_CACHE_TICKET_BYTES]);

/* The number of a ticket that was handed out; UINT32_MAX if it is none of these. */
uint32_t tls_cache_number(const jtg_tls_ticket *ticket);

/* Put ticket `number` for a host, or take one; it is cleared. *number is UINT32_MAX unless JTG_OK.
 */
jtg_status tls_cache_put(jtg_tls_tickets *tickets, const char *host, uint32_t number,
                         jtg_tls_fate *fate);
jtg_status tls_cache_take(jtg_tls_tickets *tickets, const char *host, uint32_t *number);

/* The whole content of a file; false if there is none. For free(). */
bool tls_cache_read(const char *path, char **content, size_t *len);
bool tls_cache_write(const char *path, const void *content, size_t len);

#endif
