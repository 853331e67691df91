/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets to listen on. */
#ifndef SERVE_LISTENER_H
#define SERVE_LISTENER_H

#include "address.h"

#include <stdint.h>

struct listener {
    int fd;    /* -1: none */
    bool shut; /* takes no more connections */
    struct listen_address address;
    uint16_t port; /* the one in use, when 0 was asked for */
};

/* mode: permissions of a unix socket. A socket that a process left behind is replaced, one that
 * answers is not. NULL, or what is wrong; errno says more. */
const char *listener_open(struct listener *listener, const char *text, uint32_t mode);

/* Nobody can connect any more, and a unix socket is removed. The descriptor stays open, for whoever
 * may still look at it. */
void listener_shut(struct listener *listener);

/* The same, and close it. */
void listener_close(struct listener *listener);

#endif
