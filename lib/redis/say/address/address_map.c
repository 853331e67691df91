/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/address/address_map.h"

#include <string.h>
#include <strings.h>

enum { ANY_PORT = 0 };

struct entry {
    struct jtgi_address from;
    struct jtgi_address to;
};

/* The next one; *map moves behind it and becomes NULL after the last. */
static bool next_entry(const char **map, struct entry *entry)
{
    const char *text = *map;
    size_t len = strcspn(text, ",");
    const char *equals = memchr(text, '=', len);
    *map = text[len] == '\0' ? NULL : text + len + 1;
    if (equals == NULL)
        return false;
    size_t from_len = (size_t)(equals - text);
    if (memchr(equals + 1, '=', len - from_len - 1) != NULL) /* another sign between two entries */
        return false;
    return jtgi_address_read(text, from_len, ANY_PORT, &entry->from) &&
           jtgi_address_read(equals + 1, len - from_len - 1, ANY_PORT, &entry->to);
}

/* Which of two entries for one address counts would depend on their order. */
static bool is_earlier(const char *map, const struct entry *entry, unsigned place)
{
    struct entry earlier;
    for (unsigned i = 0; i < place && map != NULL; i++)
        if (next_entry(&map, &earlier) && jtgi_address_equals(&earlier.from, &entry->from))
            return true;
    return false;
}

const char *jtgi_address_map_problem(const char *map)
{
    struct entry entry;
    unsigned place = 0;
    for (const char *rest = map; rest != NULL; place++) {
        if (!next_entry(&rest, &entry))
            return "address_map is not a list of from-host[:port]=to-host[:port]";
        if (is_earlier(map, &entry, place))
            return "an entry of address_map stands twice";
    }
    return NULL;
}

static bool find(const char *map, const char *host, uint32_t port, struct jtgi_address *to)
{
    struct entry entry;
    bool found = false;
    while (map != NULL) {
        bool meant = next_entry(&map, &entry) && strcasecmp(entry.from.host, host) == 0 &&
                     (entry.from.port == port || entry.from.port == ANY_PORT);
        if (meant && (!found || entry.from.port == port)) {
            *to = entry.to;
            found = true;
        }
    }
    return found;
}

void jtgi_address_map_apply(const char *map, struct jtgi_address *address)
{
    struct jtgi_address to;
    if (map == NULL || address->unix_path != NULL || address->mapped)
        return;
    if (!find(map, address->host, address->port, &to) &&
        (address->other_host[0] == '\0' || !find(map, address->other_host, address->port, &to)))
        return;
    if (to.port == ANY_PORT)
        to.port = address->port;
    to.mapped = true;
    *address = to;
}
