/* SPDX-License-Identifier: Apache-2.0 */
/* A service that ends while clients come and go: it ends, and whoever it let in has an answer. */
#include "serve/service_fixture.h"
#include "support/threads.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 40, CLIENTS = 6, ENOUGH = 60 };

struct crowd {
    uint16_t port;
    atomic_uint answered;
    atomic_uint cut_off; /* connected, and the answer began but did not come whole */
};

/* Until nobody can connect any more. */
static void come_and_go(void *context, unsigned index)
{
    static const char request[] = "GET /check HTTP/1.1\r\nHost: x\r\n\r\n";
    struct crowd *crowd = context;
    struct http_answer answer;
    (void)index;
    for (;;) {
        int fd = http_connect(crowd->port);
        if (fd < 0)
            return;
        answer = (struct http_answer){.status = 0};
        if (http_send(fd, request, strlen(request)) && http_read(fd, &answer, false))
            (void)atomic_fetch_add(&crowd->answered, 1);
        else if (answer.head[0] != '\0')
            (void)atomic_fetch_add(&crowd->cut_off, 1);
        http_answer_clear(&answer);
        (void)close(fd);
    }
}

static void wait_for_answers(const struct crowd *crowd)
{
    const struct timespec step = {0, 200000};
    for (int i = 0; i < 50000 && atomic_load(&crowd->answered) < ENOUGH; i++)
        (void)nanosleep(&step, NULL);
    assert_true(atomic_load(&crowd->answered) >= ENOUGH);
}

/* Each time at another moment of what the workers do. */
static void ends_while_clients_come(void **state)
{
    (void)state;
    static struct served served;
    for (int round = 0; round < ROUNDS; round++) {
        served_init(&served);
        served_argument(&served, "--threads=16");
        served_start(&served);
        struct crowd crowd = {.port = service_port(served.service, HTTP_MAIN)};
        struct threads *clients = threads_start(CLIENTS, come_and_go, &crowd);
        wait_for_answers(&crowd);
        served_end(&served);
        threads_join(clients);
        assert_int_equal(atomic_load(&crowd.cut_off), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ends_while_clients_come)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
