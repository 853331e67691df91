/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis server of the benchmark's own, on a free TCP port of this machine, which is how most
 * users reach theirs. It keeps nothing on disk and ends with us. */
#ifndef BENCH_REDIS_SERVER_H
#define BENCH_REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct bench_server {
    pid_t pid;
    char folder[64];
    char uri[64];
};

/* false, and a line on stderr, when it does not start. It answers when this returns. */
bool bench_server_start(struct bench_server *server);

void bench_server_stop(struct bench_server *server);

#endif
