/* SPDX-License-Identifier: Apache-2.0 */
/* The URL that a DPoP proof is for, in one spelling (RFC 9449 section 4.3; RFC 3986 sections 6.2.2
 * and 6.2.3): without query and fragment, case of scheme and host, percent-encoding, dot segments,
 * empty path and default port made the same, and the letters encoded that the URL class of browsers
 * leaves raw in a path: [ ] | ^ and a % that encodes nothing. http and https only; nothing else
 * is guessed: what is no such URL is refused. */
#ifndef SERVE_TARGET_URL_H
#define SERVE_TARGET_URL_H

#include <jtiguard/guard.h>
#include <stdbool.h>

enum { TARGET_URL_BYTES = 4096 };

/* false: no absolute http(s) URL, it has a user, or is too long. */
bool target_url_normalize(char url[TARGET_URL_BYTES], jtg_text given);

#endif
