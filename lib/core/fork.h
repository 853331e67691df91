/* SPDX-License-Identifier: Apache-2.0 */
/* Notices that this process is a child made by fork(): a copy of a store that goes on in both
 * processes would admit each token twice. */
#ifndef JTGI_CORE_FORK_H
#define JTGI_CORE_FORK_H

#include <stdint.h>

/* A number that differs between a process and a child that it forks. An object notes it when
 * it is made, and belongs to this process while it stays the same. Costs one load.
 * A raw clone system call that bypasses fork() is not noticed. */
uint64_t jtgi_fork_generation(void);

#endif
