/* SPDX-License-Identifier: Apache-2.0 */
/* A server of issuers' documents on 127.0.0.1, with the answers that a test puts into it. */
#ifndef TESTS_SERVE_KEYS_SERVER_H
#define TESTS_SERVE_KEYS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keys_server;

/* With TLS the certificate is for localhost and signed by nobody that is trusted, but by itself. */
struct keys_server *keys_server_new(bool with_tls);
void keys_server_free(struct keys_server *server);

/* "http://127.0.0.1:port", or "https://localhost:port". For the server's life. */
const char *keys_server_base(const struct keys_server *server);

/* PEM file with the certificate. */
const char *keys_server_ca(const struct keys_server *server);

/* What a path answers from now on. body is copied; header is "Name: value" or NULL. */
void keys_server_put(struct keys_server *server, const char *path, unsigned status,
                     const char *body, const char *header);

/* This path answers 401 from now on to whoever does not show this Authorization. */
void keys_server_want(struct keys_server *server, const char *path, const char *authorization);

/* Requests of this path that showed any. */
unsigned keys_server_shown(struct keys_server *server, const char *path);

/* Requests of this path wait from now on until they are let go. */
void keys_server_hold(struct keys_server *server, const char *path, bool hold);

/* Bodies are sent a byte at a time, with the pause between, until it is set to 0. */
void keys_server_drip(struct keys_server *server, unsigned pause_ms);

/* Requests that this path has seen. */
unsigned keys_server_count(struct keys_server *server, const char *path);

/* Wait until it has seen so many; false after ten seconds. */
bool keys_server_await(struct keys_server *server, const char *path, unsigned count);

#endif
