/* SPDX-License-Identifier: Apache-2.0 */
/* Whose monotonic clock a process reads: that of this boot, in its time namespace. */
#ifndef JTGI_HOST_IDENTITY_H
#define JTGI_HOST_IDENTITY_H

#include <jtiguard/status.h>
#include <stdbool.h>
#include <stdint.h>

struct jtgi_host_identity {
    char boot[40];           /* the kernel's boot id, as text */
    uint64_t time_namespace; /* its inode; 0: the kernel has none */
};

/* A process enters a new time namespace at its next exec, so it is read anew each time.
 * proc: "/proc". Returns: JTG_OK · JTG_ERR_UNAVAILABLE (without it nothing is known) */
jtg_status jtgi_host_identity_read(struct jtgi_host_identity *identity, const char *proc,
                                   jtg_error *err);

#endif
