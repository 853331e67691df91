/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request, judged before anything is done for it: is it HTTP, and does what the
 * library keeps of it leave room for the answer? */
#ifndef SERVE_HEAD_H
#define SERVE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;

/* Room for the head of an answer: its claims (CLAIM_HEADERS_MAX_BYTES), and ours. */
enum { HEAD_ANSWER_BYTES = 16384 };

/* Memory of a connection whose heads may be max_bytes long. */
intptr_t head_memory(uint32_t max_bytes);

enum head_verdict {
    HEAD_GOOD,
    HEAD_MALFORMED, /* 400: HTTP forbids it, and others may read it in another way */
    HEAD_TOO_LONG   /* 431 */
};

/* What is noted of a request's URI when it comes, for the library changes it later. */
struct head_uri {
    const char *place; /* where the library has it */
    size_t len;
    size_t arguments;
};
struct head_uri head_uri_of(const char *uri);

/* The first line. */
struct head_line {
    const char *method;
    struct head_uri uri;
    const char *version;
};

enum head_verdict head_judge(struct MHD_Connection *mhd, const struct head_line *line,
                             uint32_t max_bytes);

/* Whether lines came behind the body, which nobody needs and whose room nothing bounds. */
bool head_has_trailer(struct MHD_Connection *mhd);

#endif
