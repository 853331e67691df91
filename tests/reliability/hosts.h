/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts that with-hosts made: processes and sockets on them, and cutting them off. */
#ifndef TESTS_RELIABILITY_HOSTS_H
#define TESTS_RELIABILITY_HOSTS_H

#include <stdbool.h>
#include <sys/types.h>

enum { HOSTS = 13, HOST_ADDRESS_BYTES = 16, HOST_WORDS_MAX = 24 };

/* Once, before the others. Fails the test where with-hosts did not start it. */
void hosts_find(void);

void hosts_address(unsigned host, char address[HOST_ADDRESS_BYTES]);

/* The host of an address; 0 for one that is none of ours. */
unsigned hosts_number(const char *address);

/* What the calling thread opens from now on lies on that host, also after the cables have been
 * moved; and back. So the campaign can speak to a server that nobody else reaches. */
void hosts_enter(unsigned host);
void hosts_leave(void);

/* Start a program on a host; its output is added to a file. It ends with this process. */
pid_t hosts_spawn(unsigned host, const char *const *words, const char *output_path);

/* Move a host's cable to the other switch, or back. */
void hosts_cut_off(unsigned host);
void hosts_join(unsigned host);

#endif
