/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that were found to be replays a moment ago. A flood of one of them is answered from
 * here, without a signature check and without the store.
 *
 * It can only refuse, and only what the guard has refused as a replay: an entry that is forgotten
 * costs time, never a second admission. An entry ends after life_ms, so that a reservation that is
 * given back is found out.
 *
 * Where proxies name the owner of a request, the request that holds the reservation may rightly
 * ask again, perhaps here after another instance admitted it. It began before anybody could see a
 * replay, so an entry answers only after a quiet time that covers a request's life. */
#ifndef SERVE_REPLAY_CACHE_H
#define SERVE_REPLAY_CACHE_H

#include "serve/answer/slots.h"

#include <jtiguard/guard.h>

/* What was shown, to the last letter of the signature: it is asked before a signature is checked,
 * and whoever has only the rest of a token must not learn here that it was used. Another spelling
 * of a good signature is another entry, once the guard has refused it. proof empty without DPoP.
 * cache: a table with nothing else in it; NULL knows nothing, and has any key. */
struct slot_key replay_cache_key(const struct slots *cache, jtg_text token, jtg_text proof);

/* quiet_ms: 0 where requests have owners of their own. */
bool replay_cache_knows(struct slots *cache, struct slot_key key, int64_t now_ms, int64_t quiet_ms,
                        int64_t life_ms);

/* The guard has just called it a replay. now_ms is monotonic. */
void replay_cache_remember(struct slots *cache, struct slot_key key, int64_t now_ms,
                           int64_t quiet_ms, int64_t life_ms);

#endif
