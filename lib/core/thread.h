/* SPDX-License-Identifier: Apache-2.0 */
/* The library's own threads. */
#ifndef JTGI_CORE_THREAD_H
#define JTGI_CORE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Start a thread, to be joined or detached by the caller. The program's signals are the program's:
 * one that its own threads block, to wait for it, must not run its handler here. Faults are left
 * alone, so that they still reach a crash handler. False if there is no thread to be had. */
bool jtgi_thread_start(pthread_t *thread, void *(*run)(void *), void *argument);

#endif
