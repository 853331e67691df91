/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what INFO answers. No I/O, no locks. */
#ifndef JTGI_REDIS_INFO_H
#define JTGI_REDIS_INFO_H

#include <jtiguard/redis.h>
#include <stdbool.h>
#include <stddef.h>

/* Fill the facts that come from INFO. A field that is absent, repeated or not understood is
 * unstated: JTG_REDIS_UNSTATED, or an empty text. our_wall_ms is the time of the question. */
void jtgi_info_read(jtg_redis_server *server, const char *text, size_t text_len,
                    int64_t our_wall_ms);

/* Is the one line "name:value" in it? */
bool jtgi_info_says(const char *text, size_t text_len, const char *name, const char *value);

#endif
