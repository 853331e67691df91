/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that the store lends to guards (backend.h): pieces of the header, with a lock each. What
 * was lent stays mapped until the cache is freed, also that of a file that was exchanged. */
#ifndef JTGI_HOST_LENDING_H
#define JTGI_HOST_LENDING_H

#include "host/visit.h"

jtg_status jtgi_host_lend(jtg_cache *self, jtg_borrower borrower, void **memory, jtg_error *err);
jtg_status jtgi_host_lock_lent(jtg_cache *self, void *memory, jtg_error *err);
void jtgi_host_unlock_lent(jtg_cache *self, void *memory);

#endif
