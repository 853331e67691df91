/* SPDX-License-Identifier: Apache-2.0 */
/* The issuer of the demo: makes a key, writes its public half where the verifiers read it, and
 * signs a token for whoever asks. No issuer for anything else: it asks nobody who they are.
 *
 * issuer FILE PORT */
#include "bench/serve/issuer.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

enum { LIFETIME_S = 300 };

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_len, void **state)
{
    const struct bench_issuer *issuer = context;
    char jti[37];
    uuid_t id;
    (void)version;
    (void)data;
    (void)data_len;
    (void)state;
    bool known = strcmp(url, "/token") == 0 && strcmp(method, "GET") == 0;
    uuid_generate_random(id);
    uuid_unparse_lower(id, jti);
    char *token = known ? bench_issuer_sign(issuer, jti, LIFETIME_S) : strdup("GET /token\n");
    if (token == NULL)
        return MHD_NO;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(token), token, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result queued = MHD_queue_response(connection, known ? 200 : 404, response);
    MHD_destroy_response(response);
    return queued;
}

/* In one step, so that no verifier reads half of it. */
static bool write_keys(const struct bench_issuer *issuer, const char *path)
{
    char *keys = bench_issuer_keys(issuer);
    char *draft = NULL;
    if (keys == NULL || asprintf(&draft, "%s.new", path) < 0)
        return false;
    FILE *file = fopen(draft, "w");
    bool good = file != NULL && fputs(keys, file) >= 0;
    good = file != NULL && fclose(file) == 0 && good && rename(draft, path) == 0;
    free(draft);
    free(keys);
    return good;
}

int main(int argc, char **argv)
{
    sigset_t signals;
    int got = 0;
    unsigned long port = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    struct bench_issuer *issuer = bench_issuer_new("ES256");
    if (port == 0 || port > 65535 || issuer == NULL || !write_keys(issuer, argv[1])) {
        fputs("usage: issuer FILE PORT\n", stderr);
        return 2;
    }
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)port,
                                                 NULL, NULL, answer, issuer, MHD_OPTION_END);
    if (daemon == NULL)
        return 3;
    (void)sigwait(&signals, &got);
    MHD_stop_daemon(daemon);
    bench_issuer_free(issuer);
    return 0;
}
