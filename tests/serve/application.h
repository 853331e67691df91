/* SPDX-License-Identifier: Apache-2.0 */
/* The application behind a proxy: answers every request, and counts them. */
#ifndef TESTS_SERVE_APPLICATION_H
#define TESTS_SERVE_APPLICATION_H

#include <stdint.h>

struct application;

/* On a port of 127.0.0.1. Its answer is "SUBJECT of ISSUER", the headers X-JTI-Subject and
 * X-JTI-Issuer as they came. */
struct application *application_start(void);
void application_stop(struct application *application);

uint16_t application_port(const struct application *application);

/* How many requests have reached it. */
unsigned application_requests(const struct application *application);

#endif
