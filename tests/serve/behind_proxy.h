/* SPDX-License-Identifier: Apache-2.0 */
/* A proxy in front of an application, beside three instances of the service on one Redis. */
#ifndef TESTS_SERVE_BEHIND_PROXY_H
#define TESTS_SERVE_BEHIND_PROXY_H

#include "serve/application.h"
#include "serve/http_client.h"
#include "serve/processes.h"
#include "serve/signer.h"
#include "support/redis_server.h"

enum { INSTANCES = 3 };

struct behind_proxy {
    char folder[64];
    char log_path[80]; /* of all programs, in the folder */
    char keys_path[80];
    struct signer *signer;
    struct redis_server redis;
    struct instance instances[INSTANCES];
    struct application *application;
    struct process proxy;
    uint16_t port; /* of the proxy */
};

/* Everything but the proxy. owner_header: NULL none. */
void behind_proxy_init(struct behind_proxy *place, const char *owner_header);
/* The same with issuers of the test's own: a file of settings, in which KEYS stands for the path of
 * the usual issuer's keys. */
void behind_proxy_init_with(struct behind_proxy *place, const char *owner_header,
                            const char *config);
void behind_proxy_end(struct behind_proxy *place);

/* A configuration of docs/proxies.md with the addresses of this place in it: it names the proxy
 * 127.0.0.1:8080, the application 127.0.0.1:8000 and the instances 127.0.0.1:9870, :9872, :9874.
 * The caller frees it. */
char *behind_proxy_snippet(const struct behind_proxy *place, const char *name);

/* Write a file into the folder and hand out its path, which the caller frees. */
char *behind_proxy_file(const struct behind_proxy *place, const char *name, const char *text);

/* Run the proxy until it answers. words: NULL-terminated. */
void behind_proxy_run(struct behind_proxy *place, const char *const *words);

/* A token of the issuer with this jti; with a subject, or without. The caller frees it. */
char *behind_proxy_token(const struct behind_proxy *place, const char *jti, const char *subject);

/* Ask the proxy for / with these header lines, each with its line end. The status, 0: no answer
 * came. */
unsigned behind_proxy_get(const struct behind_proxy *place, const char *headers,
                          struct http_answer *answer);
/* The same with a token, which is freed, and nothing but the status. */
unsigned behind_proxy_show(const struct behind_proxy *place, char *token);

#endif
