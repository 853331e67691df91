/* SPDX-License-Identifier: Apache-2.0 */
/* The proxies of docs/proxies.md, each with the configuration that stands there. */
#ifndef TESTS_SERVE_PROXY_KIND_H
#define TESTS_SERVE_PROXY_KIND_H

#include "serve/behind_proxy.h"

/* What the page says beside the usual configuration of a proxy. */
enum page_part {
    PART_NONE = 0,
    PART_CORS = 1 << 0,    /* browsers from other origins */
    PART_AGAIN = 1 << 1,   /* nginx: a second request inside, which asks again */
    PART_FILES = 1 << 2,   /* nginx: a site of files in place of the application */
    PART_INGRESS = 1 << 3, /* nginx: as an ingress controller has it */
    PART_CLAIM = 1 << 4,   /* a chosen claim, email, as X-JTI-Email */
    PART_DIRECT = 1 << 5   /* HAProxy: the script asks the first instance itself */
};

struct proxy_kind {
    const char *name;
    const char *program;
    const char *dpop_target; /* that `serve` needs; NULL: the default */
    unsigned when_dead;      /* its answer when no instance lives */
    void (*start)(struct behind_proxy *place, unsigned parts);
};

extern const struct proxy_kind proxy_nginx;
extern const struct proxy_kind proxy_caddy;
extern const struct proxy_kind proxy_haproxy;
extern const struct proxy_kind proxy_apache;

/* Skip the test where the proxy is not installed. */
void proxy_kind_need(const struct proxy_kind *kind);

#define OWNER_HEADER "X-Request-ID"

#endif
