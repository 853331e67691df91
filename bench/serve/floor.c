/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/serve/floor.h"

#include "bench/isolate.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

/* As service.c has it. */
enum { THREADS_A_PROCESSOR = 4, THREADS_LEAST = 8, THREADS_MOST = 64, CONNECTIONS = 4096 };

static unsigned threads(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN) * THREADS_A_PROCESSOR;
    if (count < THREADS_LEAST)
        return THREADS_LEAST;
    return count > THREADS_MOST ? THREADS_MOST : (unsigned)count;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_len, void **state)
{
    (void)url;
    (void)method;
    (void)version;
    (void)data;
    /* The first call has the head only. */
    if (*state == NULL) {
        *state = context;
        return MHD_YES;
    }
    *data_len = 0;
    return MHD_queue_response(connection, 200, context);
}

__attribute__((noreturn)) static void serve(unsigned port)
{
    const union {
        struct sockaddr_in v4;
        struct sockaddr any;
    } at = {.v4 = {.sin_family = AF_INET,
                   .sin_port = htons((uint16_t)port),
                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct MHD_Response *empty = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, empty,
                         MHD_OPTION_SOCK_ADDR, &at.any, MHD_OPTION_THREAD_POOL_SIZE, threads(),
                         MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, MHD_OPTION_END);
    if (daemon == NULL)
        bench_die("the bare handler does not start");
    for (;;)
        (void)pause(); /* until a signal ends the process */
}

pid_t bench_floor_start(unsigned port)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        serve(port);
    if (child < 0)
        perror("jtiguard bench serve: fork");
    return child < 0 ? 0 : child;
}
