/* SPDX-License-Identifier: Apache-2.0 */
/* Names that lead where a test says, in place of what the machine's resolver knows. Only in
 * programs that are linked with --wrap=getaddrinfo and --wrap=freeaddrinfo. */
#ifndef TESTS_SUPPORT_HOST_TABLE_H
#define TESTS_SUPPORT_HOST_TABLE_H

/* From now on the name has these numeric addresses, "127.0.0.2,::1", in this order; an empty text:
 * it is not found. Every other name is asked of the machine. Any thread may look it up meanwhile.
 */
void host_table_set(const char *name, const char *addresses);

/* Look-ups of names in the table since the last set. */
unsigned host_table_lookups(void);

/* Look-ups wait from here on, until they are let go. */
void host_table_hold(void);
void host_table_let_go(void);

#endif
