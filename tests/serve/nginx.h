/* SPDX-License-Identifier: Apache-2.0 */
/* nginx in front of what a test has set up. */
#ifndef TESTS_SERVE_NGINX_H
#define TESTS_SERVE_NGINX_H

#include "serve/behind_proxy.h"

/* Run it with what stands in its http block, which is freed, until it answers. */
void nginx_run(struct behind_proxy *place, char *http);

#endif
