/* SPDX-License-Identifier: Apache-2.0 */
/* A port for a server of the benchmark's own. */
#ifndef BENCH_PORT_H
#define BENCH_PORT_H

/* One of 127.0.0.1 that was free a moment ago; 0 when there is none. */
unsigned bench_port_find(void);

#endif
