/* SPDX-License-Identifier: Apache-2.0 */
/* Which endpoint answers what. */
#ifndef SERVE_ROUTES_H
#define SERVE_ROUTES_H

#include "serve/http/http_server.h"

struct responder;

/* responder outlives the servers. */
struct http_answerer routes_answerer(struct responder *responder);

#endif
