/* SPDX-License-Identifier: Apache-2.0 */
/* Notices that this process is a child made by fork(): a copy of a store that goes on in both
 * processes would admit each token twice. */
#ifndef JTGI_CORE_FORK_H
#define JTGI_CORE_FORK_H

#include <stdint.h>

/* A number that differs between a process and a child that it forks. An object notes it when
 * it is made, and belongs to this process while it stays the same. Costs two loads.
 * Where the kernel wipes memory in a child (Linux 4.14), _Fork() and a raw clone system call, which
 * run no handlers, are noticed as well as fork(). */
uint64_t jtgi_fork_generation(void);

#endif
