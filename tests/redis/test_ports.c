/* SPDX-License-Identifier: Apache-2.0 */
/* A port that a test has taken is the test's: while a server listens there, and while none does. */
#include "support/ports.h"

#include "support/asserts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 64 };

/* As a server (reuse) or as anybody. -1 with errno. */
static int bound(uint16_t port, bool reuse)
{
    const int one = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (reuse)
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int cause = errno;
    (void)close(fd);
    errno = cause;
    return -1;
}

static void serve_once(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int server = bound(port, true);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server >= 0 && client >= 0);
    assert_int_equal(listen(server, 1), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    (void)close(server);
    (void)close(client);
}

static void assert_taken(uint16_t port)
{
    assert_int_equal(bound(port, false), -1);
    assert_int_equal(errno, EADDRINUSE);
}

static void a_server_listens_again_and_again(void **state)
{
    uint16_t port = port_take();
    (void)state;
    serve_once(port);
    serve_once(port);
    assert_taken(port);
    port_give_back(port);
}

static void nobody_else_gets_it(void **state)
{
    uint16_t ports[MANY];
    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        ports[i] = port_take();
        assert_taken(ports[i]);
        for (unsigned other = 0; other < i; other++)
            assert_int_not_equal(ports[other], ports[i]);
    }
    for (unsigned i = 0; i < MANY; i++)
        port_give_back(ports[i]);
}

static void the_bus_belongs_to_it(void **state)
{
    uint16_t port = port_take_with_bus();
    (void)state;
    assert_taken(port);
    assert_taken((uint16_t)(port + PORT_BUS_OFFSET));
    serve_once((uint16_t)(port + PORT_BUS_OFFSET));
    port_give_back(port);
}

static void what_is_given_back_is_free(void **state)
{
    uint16_t port = port_take_with_bus();
    (void)state;
    port_give_back(port);
    int fd = bound(port, false);
    int bus = bound((uint16_t)(port + PORT_BUS_OFFSET), false);
    assert_true(fd >= 0 && bus >= 0);
    (void)close(fd);
    (void)close(bus);
    port_give_back(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_listens_again_and_again),
        cmocka_unit_test(nobody_else_gets_it),
        cmocka_unit_test(the_bus_belongs_to_it),
        cmocka_unit_test(what_is_given_back_is_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
