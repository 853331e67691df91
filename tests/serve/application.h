/* SPDX-License-Identifier: Apache-2.0 */
/* The application behind a proxy, and one that is easily fooled. It believes X-JTI-Subject,
 * X-JTI-Issuer, X-JTI-Email and X-JTI-Result as many servers do that hand headers on as variables:
 * whatever stands in a name in place of "-" is the same to it, several of one name are one, and
 * what Connection names it drops. What stands behind a body in chunks is a header to it, too.
 * It counts what reaches it, and takes every upgrade that is offered. */
#ifndef TESTS_SERVE_APPLICATION_H
#define TESTS_SERVE_APPLICATION_H

#include <stdint.h>

struct application;

/* Serves on a port of 127.0.0.1, in a thread of its own. Any path is answered with 200 and the body
 * "SUBJECT of ISSUER\n", with X-Seen: METHOD PATH BYTES of the body, and with X-Told:
 * "email=EMAIL result=RESULT". But
 *   /break    takes the request and ends the connection without an answer,
 *   /busy     answers 503,
 *   /private  asks nginx for /files/private instead (X-Accel-Redirect). */
struct application *application_start(void);
void application_stop(struct application *application);

uint16_t application_port(const struct application *application);

/* How many requests reached it, whatever they were. */
unsigned application_requests(const struct application *application);

/* How many of them came on connections that had been upgraded. */
unsigned application_unasked(const struct application *application);

#endif
