/* SPDX-License-Identifier: Apache-2.0 */
/* The audience of a token as one text: the scope of its key. */
#ifndef TOOL_CLAIMS_AUDIENCE_H
#define TOOL_CLAIMS_AUDIENCE_H

#include "bytes.h"
#include "reason.h"

#include <jansson.h>

/* Read `aud`: absent, a string, or an array of strings.
 *
 * Where one is wanted, it must be among them and is the result. Else an array of one is the
 * same as the string, and an array of several becomes netstrings ("1:a,2:bc,") in *joined, so that
 * no two arrays make one text. The order counts: it is the same each time a token is shown.
 *
 * JTG_REASON_UNDECIDED, else why not. */
int claims_audience_read(jtg_text *audience, struct bytes *joined, const json_t *aud,
                         jtg_text wanted);

#endif
