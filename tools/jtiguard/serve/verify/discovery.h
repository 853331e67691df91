/* SPDX-License-Identifier: Apache-2.0 */
/* OpenID Connect Discovery 1.0: from an issuer's name to the place of its keys. */
#ifndef SERVE_DISCOVERY_H
#define SERVE_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

enum { DISCOVERY_URL_BYTES = 2048, DISCOVERY_WHY_BYTES = 256 };

/* Section 4.1: the issuer without a slash at its end, and the well-known path. false: too long. */
bool discovery_url(char url[DISCOVERY_URL_BYTES], const char *issuer);

/* Section 4.3: take jwks_uri out of the document, if that speaks for this very issuer; else one
 * issuer could lead us to the keys of another. false: why says why, with both names. */
bool discovery_read(char jwks_uri[DISCOVERY_URL_BYTES], const char *issuer, const char *text,
                    size_t text_len, char why[DISCOVERY_WHY_BYTES]);

#endif
