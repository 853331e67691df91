/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets to listen on. */
#ifndef SERVE_LISTENER_H
#define SERVE_LISTENER_H

#include "serve/http/address.h"

#include <stdint.h>

/* What is asked there. */
enum http_role { HTTP_MAIN, HTTP_API, HTTP_ADMIN };

struct listener {
    int fd;    /* -1: none */
    int still; /* on which nothing ever happens */
    bool shut; /* takes no more connections */
    struct listen_address address;
    uint16_t port; /* the one in use, when 0 was asked for */
};

/* mode: permissions of a unix socket. A socket that a process left behind is replaced, one that
 * answers is not. NULL, or what is wrong; errno says more. */
const char *listener_open(struct listener *listener, const char *text, uint32_t mode);

/* Nobody can connect any more, and a unix socket is removed. The descriptor stays open, for whoever
 * may still look at it, and never has news again. Threads that wait on it need not be told: the
 * HTTP library's own way to tell them races with them, and then ends the process with what was
 * under way. */
void listener_shut(struct listener *listener);

/* The same, and close it. fd_taken: somebody else has closed its descriptor. */
void listener_close(struct listener *listener, bool fd_taken);

#endif
