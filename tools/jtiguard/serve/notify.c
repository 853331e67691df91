/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/notify.h"

#include "monotonic.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void tell(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path != NULL ? strlen(path) : 0;
    if (len < 2 || len >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, len);
    if (path[0] == '@')
        address.sun_path[0] = '\0'; /* an abstract socket */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    union {
        const struct sockaddr_un *local;
        const struct sockaddr *any;
    } to = {.local = &address};
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, to.any,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    (void)close(fd);
}

void notify_ready(void)
{
    tell("READY=1\n");
}

void notify_reloading(void)
{
    char state[80];
    (void)snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n",
                   monotonic_ns() / 1000);
    tell(state);
}

void notify_stopping(void)
{
    tell("STOPPING=1\n");
}
