/* SPDX-License-Identifier: Apache-2.0 */
#include "support/tls_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_BYTES = 32, PIN_STEP = 7, FILLER = 31, LIFETIME_S = 7200 };

bool tls_cache_set_up(struct tls_cache *cache)
{
    memset(cache, 0, sizeof *cache);
    const char *base = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(cache->folder, sizeof cache->folder, "%s/jtiguard-tls.XXXXXX", base);
    if (mkdtemp(cache->folder) == NULL)
        return false;
    (void)snprintf(cache->path, sizeof cache->path, "%s/tickets.json", cache->folder);
    (void)snprintf(cache->key_path, sizeof cache->key_path, "%s/key", cache->folder);
    test_clock_init(&cache->clock);
    cache->clock_option = test_clock_as_jtg(&cache->clock);
    jtg_tls_tickets_options_init(&cache->options);
    cache->options.clock = &cache->clock_option;
    return true;
}

unsigned tls_cache_tear_down(struct tls_cache *cache)
{
    char path[512];
    unsigned count = 0;
    DIR *folder = opendir(cache->folder);
    for (const struct dirent *at = NULL; folder != NULL && (at = readdir(folder)) != NULL;) {
        if (strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", cache->folder, at->d_name);
        (void)remove(path);
        count++;
    }
    if (folder != NULL)
        (void)closedir(folder);
    (void)rmdir(cache->folder);
    return count;
}

void tls_cache_beside(const struct tls_cache *cache, const char *suffix, char path[128])
{
    (void)snprintf(path, 128, "%s%s", cache->path, suffix);
}

jtg_tls_tickets *tls_cache_open(const struct tls_cache *cache)
{
    jtg_tls_tickets *tickets = NULL;
    if (jtg_tls_tickets_open(&tickets, cache->path, &cache->options, NULL) != JTG_OK)
        return NULL;
    return tickets;
}

bool tls_cache_make_key(struct tls_cache *cache)
{
    unsigned char key[KEY_BYTES];
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (unsigned char)(i * i * FILLER + i);
    cache->options.key_file = cache->key_path;
    return tls_cache_write(cache->key_path, key, sizeof key);
}

jtg_endpoint tls_cache_endpoint(const char *host)
{
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    endpoint.host = host;
    endpoint.port = 443;
    endpoint.alpn = "http/1.1";
    endpoint.alpn_len = 8;
    endpoint.parameters = "verified";
    endpoint.parameters_len = 8;
    return endpoint;
}

static void make_bytes(uint32_t number, unsigned char bytes[TLS_CACHE_TICKET_BYTES])
{
    memcpy(bytes, &number, sizeof number);
    for (size_t i = sizeof number; i < TLS_CACHE_TICKET_BYTES; i++)
        bytes[i] = (unsigned char)(number * FILLER + i * PIN_STEP);
}

jtg_tls_ticket tls_cache_ticket(uint32_t number, unsigned char bytes[TLS_CACHE_TICKET_BYTES])
{
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    make_bytes(number, bytes);
    ticket.ticket = bytes;
    ticket.ticket_len = TLS_CACHE_TICKET_BYTES;
    ticket.lifetime_s = LIFETIME_S;
    memset(ticket.pin, 'p', sizeof ticket.pin);
    return ticket;
}

uint32_t tls_cache_number(const jtg_tls_ticket *ticket)
{
    unsigned char bytes[TLS_CACHE_TICKET_BYTES];
    uint32_t number = 0;
    if (ticket->ticket_len != sizeof bytes)
        return UINT32_MAX;
    memcpy(&number, ticket->ticket, sizeof number);
    make_bytes(number, bytes);
    return memcmp(bytes, ticket->ticket, sizeof bytes) == 0 ? number : UINT32_MAX;
}

jtg_status tls_cache_put(jtg_tls_tickets *tickets, const char *host, uint32_t number,
                         jtg_tls_fate *fate)
{
    unsigned char bytes[TLS_CACHE_TICKET_BYTES];
    jtg_tls_ticket ticket = tls_cache_ticket(number, bytes);
    jtg_endpoint endpoint = tls_cache_endpoint(host);
    return jtg_tls_tickets_put(tickets, &endpoint, &ticket, fate, NULL);
}

jtg_status tls_cache_take(jtg_tls_tickets *tickets, const char *host, uint32_t *number)
{
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    jtg_endpoint endpoint = tls_cache_endpoint(host);
    jtg_status status = jtg_tls_tickets_take(tickets, &endpoint, NULL, &ticket, NULL);
    *number = status == JTG_OK ? tls_cache_number(&ticket) : UINT32_MAX;
    jtg_tls_ticket_clear(&ticket);
    return status;
}

bool tls_cache_read(const char *path, char **content, size_t *len)
{
    struct stat about;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    *content = NULL;
    *len = 0;
    if (descriptor < 0)
        return false;
    bool good = fstat(descriptor, &about) == 0;
    if (good) {
        *content = calloc(1, (size_t)about.st_size + 1);
        good =
            *content != NULL && read(descriptor, *content, (size_t)about.st_size) == about.st_size;
        *len = (size_t)about.st_size;
    }
    (void)close(descriptor);
    return good;
}

bool tls_cache_write(const char *path, const void *content, size_t len)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0)
        return false;
    bool good = len == 0 || write(descriptor, content, len) == (ssize_t)len;
    return close(descriptor) == 0 && good;
}
