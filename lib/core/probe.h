/* SPDX-License-Identifier: Apache-2.0 */
/* Can a store reserve right now? What `ping` of a backend answers that needs nobody else for it. */
#ifndef JTGI_CORE_PROBE_H
#define JTGI_CORE_PROBE_H

#include <jtiguard/backend.h>

/* Reserve a key that nobody else has, by the backend's own slots, and give it back. Answers what
 * the reservation did. */
jtg_status jtgi_probe(jtg_cache *cache, jtg_error *err);

#endif
