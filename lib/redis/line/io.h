/* SPDX-License-Identifier: Apache-2.0 */
/* How a step on a descriptor ended, and the wait for the next one. */
#ifndef JTGI_REDIS_IO_H
#define JTGI_REDIS_IO_H

#include <stdint.h>

enum jtgi_io {
    JTGI_IO_DONE,
    JTGI_IO_TIMEOUT, /* the deadline passed */
    JTGI_IO_CLOSED,  /* the other side closed it in order */
    JTGI_IO_FAILED   /* errno says why */
};

/* Wait until fd is ready for events of poll(2). DONE, TIMEOUT or FAILED. */
enum jtgi_io jtgi_wait_fd(int fd, short events, int64_t deadline_ns);

#endif
