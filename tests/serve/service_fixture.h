/* SPDX-License-Identifier: Apache-2.0 */
/* A service in this process, on sockets of its own, at a time that a test moves: with one issuer
 * of ID tokens whose keys lie in a file, and on a store that answers as a test wants. */
#ifndef TESTS_SERVE_SERVICE_FIXTURE_H
#define TESTS_SERVE_SERVICE_FIXTURE_H

#include "serve/http_client.h"
#include "serve/service.h"
#include "serve/signer.h"
#include "support/asserts.h"
#include "support/recording_cache.h"
#include "support/test_clock.h"

#define SERVED_ISSUER   "https://issuer.example"
#define SERVED_AUDIENCE "https://api.example"
#define SERVED_KID      "key-1"
#define SERVED_NOW_S    ((long)(TEST_CLOCK_WALL_MS / 1000))

enum { SERVED_ARGUMENTS_MAX = 48 };

struct served {
    struct signer *signer; /* ES256 */
    struct test_clock clock;
    jtg_clock as_jtg;
    struct recording_cache *store; /* the service's; NULL: the memory store */
    struct service *service;
    char folder[64]; /* with keys.json, api.sock, and what a test puts there */
    char log_path[80];
    int log_fd;
    const char *arguments[SERVED_ARGUMENTS_MAX];
    int argument_count;
    char texts[SERVED_ARGUMENTS_MAX][160];
};

/* The folder, the keys, and the usual arguments. */
void served_init(struct served *served);

/* One more argument, printf-like. */
__attribute__((format(printf, 2, 3))) void served_argument(struct served *served,
                                                           const char *format, ...);

/* Start it: on a recording cache, or on what the arguments say. */
void served_start(struct served *served);
void served_start_on_its_store(struct served *served);

/* The settings of the arguments; NULL, and *problem says why. */
struct service_settings *served_settings(struct served *served, struct settings_problem *problem);

void served_end(struct served *served);

/* A file in its folder. */
void served_write(const struct served *served, const char *name, const char *text);

/* What was logged so far, after waiting until `text` stands there. The caller frees it. */
char *served_log(struct served *served, const char *text);

/* A token of the issuer with this jti, issued ten seconds ago, good for 300, and with `more`
 * members, which begin with a comma. The caller frees it. */
char *served_token(const struct served *served, const char *jti, const char *more);

/* Ask /check with these header lines, each with its line end. Asserts that an answer came. */
unsigned served_check(const struct served *served, const char *headers, struct http_answer *answer);
/* The same with a bearer token, which is freed. The reason stands in the fixture's own buffer. */
struct check_result {
    unsigned status;
    char result[16];
    char reason[64];
};
struct check_result served_bearer(const struct served *served, char *token);

/* Post to the API on the unix socket. */
unsigned served_post(const struct served *served, const char *path, const char *body,
                     struct http_answer *answer);

/* A series of /metrics, e.g. "jtiguard_ready" or with its labels; -1: it is not there. */
double served_metric(const struct served *served, const char *series);

/* The counter of a decision of an endpoint. */
double served_decisions(const struct served *served, const char *endpoint, const char *result,
                        const char *reason);

/* Wait until a series has at least a value; false after ten seconds. */
bool served_await_metric(const struct served *served, const char *series, double value);

#endif
