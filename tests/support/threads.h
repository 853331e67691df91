/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of a test. A thread must not use cmocka's asserts (they jump out of the test's own
 * stack): it counts, and the test asserts after the join. */
#ifndef TESTS_SUPPORT_THREADS_H
#define TESTS_SUPPORT_THREADS_H

enum { THREADS_MAX = 64 };

typedef void (*threads_work)(void *context, unsigned index);

/* Run work(context, 0 … count-1) in as many threads, let go at the same moment, and join them. */
void threads_run(unsigned count, threads_work work, void *context);

/* The same in two halves, for a test that does something meanwhile. */
struct threads;
struct threads *threads_start(unsigned count, threads_work work, void *context);
void threads_join(struct threads *threads);

/* Send a signal to each of them, as a profiler or a timer would. */
void threads_signal(struct threads *threads, int signal_number);

#endif
