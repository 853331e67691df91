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

/* How the instances are told to serve. */
struct place_rules {
    const char *owner_header; /* NULL: none */
    const char *dpop_target;  /* NULL: the default */
    const char *claim_header; /* CLAIM=NAME; NULL: none */
    bool dpop;                /* tokens are bound to keys, and proofs need nonces */
    /* Issuers of the test's own: a file of settings, in which KEYS stands for the path of the usual
     * issuer's keys. NULL: that issuer. */
    const char *config;
};

enum { INSTANCE_WORDS_MAX = 12, WORD_BYTES = 96 };

struct behind_proxy {
    char folder[64];
    char log_path[80]; /* of all programs, in the folder */
    char keys_path[80];
    const char *issuer_keys; /* keys_path; NULL where a config says it all */
    struct signer *signer;
    struct redis_server redis;
    char words[INSTANCE_WORDS_MAX][WORD_BYTES]; /* of an instance's command line */
    const char *more[INSTANCE_WORDS_MAX + 1];
    struct instance instances[INSTANCES];
    struct application *application;
    struct process proxy;
    uint16_t port; /* of the proxy */
};

/* Everything but the proxy. */
void behind_proxy_init(struct behind_proxy *place, const struct place_rules *rules);
void behind_proxy_end(struct behind_proxy *place);

/* End an instance as an update does, and start it again. */
void behind_proxy_restart(struct behind_proxy *place, int instance);

/* A configuration of docs/proxies.md with the addresses of this place in it: it names the proxy
 * 127.0.0.1:8080, the application 127.0.0.1:8000 and the instances 127.0.0.1:9870, :9872, :9874.
 * The caller frees it. */
char *behind_proxy_snippet(const struct behind_proxy *place, const char *name);

/* Write a file into the folder and hand out its path, which the caller frees. */
char *behind_proxy_file(const struct behind_proxy *place, const char *name, const char *text);

/* Run the proxy until it answers. words: NULL-terminated. */
void behind_proxy_run(struct behind_proxy *place, const char *const *words);

/* How often all instances together have decided so at /check. */
double behind_proxy_decided(const struct behind_proxy *place, const char *result,
                            const char *reason);

/* A token of the issuer with this jti; with a subject, or without. The caller frees it. */
char *behind_proxy_token(const struct behind_proxy *place, const char *jti, const char *subject);
/* The same with more members, which begin with a comma. */
char *behind_proxy_token_with(const struct behind_proxy *place, const char *jti, const char *more);

/* Ask the proxy for / with these header lines, each with its line end. The status, 0: no answer
 * came. */
unsigned behind_proxy_get(const struct behind_proxy *place, const char *headers,
                          struct http_answer *answer);
/* Another first line (METHOD PATH), and a body. */
unsigned behind_proxy_ask(const struct behind_proxy *place, const char *line, const char *headers,
                          const char *body, struct http_answer *answer);
/* The same with a token, which is freed, and nothing but the status. */
unsigned behind_proxy_show(const struct behind_proxy *place, char *token);

#endif
