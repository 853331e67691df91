/* SPDX-License-Identifier: Apache-2.0 */
/* The audience of a token as one text: the scope of its key. */
#ifndef TOOL_CLAIMS_AUDIENCE_H
#define TOOL_CLAIMS_AUDIENCE_H

#include "claims_json.h"

/* Read `aud`: absent, a string, or an array of strings.
 *
 * With rules->audience it must be among them and is the result. Without, an array of one is the
 * same as the string, and an array of several becomes netstrings ("1:a,2:bc,"), so that no two
 * arrays make one text. The order counts: it is the same each time a token is shown. */
int claims_audience_read(struct claims_json *read, const json_t *aud,
                         const struct claims_rules *rules);

#endif
