/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches one JSON document at a time by https. No redirect is followed, for it would let
 * another host speak for the issuer; size and time are bounded over the whole fetch. */
#ifndef SERVE_FETCH_H
#define SERVE_FETCH_H

#include "bytes.h"

#include <jtiguard/status.h>
#include <stdint.h>

struct fetch_rules {
    uint32_t timeout_ms;
    uint32_t max_bytes;
    const char *ca_file; /* NULL: the system's; borrowed */
    bool allow_loopback_http;
    void (*tick)(void *context); /* called again and again during a fetch; NULL: not */
    void *tick_context;
};

enum { FETCH_TICK_MS = 50 };

struct document {
    struct bytes body;
    int64_t max_age_s;     /* of Cache-Control; -1: it does not say */
    int64_t retry_after_s; /* of Retry-After; 0: it does not say */
    long status;           /* of HTTP; 0: there was no answer */
};

struct fetcher;

/* For the use of one thread; only fetcher_stop() may come from another. rules are copied, but
 * for ca_file. NULL when memory is out. */
struct fetcher *fetcher_new(const struct fetch_rules *rules);
void fetcher_free(struct fetcher *fetcher);

/* Ends the fetch under way, and every later one, at once. */
void fetcher_stop(struct fetcher *fetcher);

/* bearer: sent to the server as its credential; NULL: none.
 *
 * false: *why says why, static. The caller ends with bytes_clear(&document->body). */
bool fetch(struct fetcher *fetcher, const char *url, const char *bearer, struct document *document,
           const char **why);

/* Whether two URLs are of one scheme, host and port. */
bool fetch_same_origin(const char *one, const char *other);

/* A URL for people: without what may be secret in it, user and query. Cut when longer. */
enum { FETCH_PLACE_BYTES = 192 };
void fetch_show(char place[FETCH_PLACE_BYTES], const char *url);

/* Whether fetch() would go there: https, a host, no user, no fragment; http only to this host
 * itself and only where that is allowed. */
bool fetch_may(const struct fetch_rules *rules, const char *url);

#endif
