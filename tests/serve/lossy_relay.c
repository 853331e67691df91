/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/lossy_relay.h"

#include "serve/http_client.h"
#include "support/asserts.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_BYTES = 32768 };

struct lossy_relay {
    pthread_t thread;
    int listener;
    uint16_t to_port;
    atomic_uint lost;
};

static bool read_question(int fd, char *bytes, size_t room)
{
    size_t len = 0;
    bytes[0] = '\0';
    while (strstr(bytes, "\r\n\r\n") == NULL) {
        ssize_t got = len + 1 < room ? recv(fd, bytes + len, room - 1 - len, 0) : 0;
        if (got <= 0)
            return false;
        len += (size_t)got;
        bytes[len] = '\0';
    }
    return true;
}

static void lose_answer(struct lossy_relay *relay, int fd)
{
    static const struct linger at_once = {1, 0};
    static char question[HEAD_BYTES];
    struct http_answer answer;
    if (read_question(fd, question, sizeof question)) {
        if (http_ask(relay->to_port, question, &answer))
            atomic_fetch_add(&relay->lost, 1);
        http_answer_clear(&answer);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)close(fd);
}

static void *serve(void *context)
{
    struct lossy_relay *relay = context;
    for (;;) {
        int fd = accept(relay->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        lose_answer(relay, fd);
    }
}

struct lossy_relay *lossy_relay_start(uint16_t port, uint16_t to_port)
{
    static const int one = 1;
    const union {
        struct sockaddr_in v4;
        struct sockaddr any;
    } at = {.v4 = {.sin_family = AF_INET,
                   .sin_port = htons(port),
                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    struct lossy_relay *relay = calloc(1, sizeof *relay);
    assert_non_null(relay);
    relay->to_port = to_port;
    relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(relay->listener >= 0);
    (void)setsockopt(relay->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(relay->listener, &at.any, sizeof at.v4), 0);
    assert_int_equal(listen(relay->listener, 64), 0);
    assert_int_equal(pthread_create(&relay->thread, NULL, serve, relay), 0);
    return relay;
}

void lossy_relay_stop(struct lossy_relay *relay)
{
    (void)shutdown(relay->listener, SHUT_RDWR);
    (void)pthread_join(relay->thread, NULL);
    (void)close(relay->listener);
    free(relay);
}

unsigned lossy_relay_lost(const struct lossy_relay *relay)
{
    return atomic_load(&relay->lost);
}
