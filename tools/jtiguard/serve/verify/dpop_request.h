/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be verified of a request that shows a proof. */
#ifndef SERVE_DPOP_REQUEST_H
#define SERVE_DPOP_REQUEST_H

#include <jtiguard/guard.h>

/* A request with `Authorization: DPoP` and one `DPoP` header. method and url are those that the
 * client used, as the proxy states them; a query and a fragment of url do not count. */
struct dpop_request {
    jtg_text method;
    jtg_text url;
    jtg_text token;
    jtg_text proof;
};

#endif
