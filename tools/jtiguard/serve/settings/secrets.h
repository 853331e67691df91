/* SPDX-License-Identifier: Apache-2.0 */
/* The bearer secrets of the API, kept as keyed digests: comparing takes the same time wherever
 * two differ, and however long they are. */
#ifndef SERVE_SECRETS_H
#define SERVE_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

enum { SECRETS_LIMIT = 8, SECRET_LEAST_BYTES = 16, SECRET_DIGEST_BYTES = 32 };

struct secrets {
    unsigned char key[SECRET_DIGEST_BYTES];
    unsigned char digests[SECRETS_LIMIT][SECRET_DIGEST_BYTES];
    size_t count;
};

/* One a line, so that an old and a new one can be valid together. NULL, or what is wrong. */
const char *secrets_read(struct secrets *secrets, const char *text);

bool secrets_hold(const struct secrets *secrets, const char *given, size_t given_len);

void secrets_clear(struct secrets *secrets);

#endif
