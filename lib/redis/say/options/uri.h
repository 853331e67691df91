/* SPDX-License-Identifier: Apache-2.0 */
/* The URI of a store while it is read. uri.c reads scheme and place, uri_query.c what follows '?'.
 * Strict: what is not understood is an error, and no error repeats a part of the URI, for any
 * part may be the password in the wrong place. */
#ifndef JTGI_REDIS_URI_H
#define JTGI_REDIS_URI_H

#include <jtiguard/redis.h>
#include <stdbool.h>

struct jtg_redis_uri {
    jtg_redis_options options;
    jtg_redis_keys keys;
    bool has_database; /* its path names one */
    size_t text_size;
    char *text; /* a copy of the URI, cut into pieces in place; the options point into it */
};

/* query may be NULL: there is none. */
jtg_status jtgi_uri_read_query(struct jtg_redis_uri *uri, char *query, jtg_error *err);

#endif
