/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_TOKENS_TICKETS_TICKET_OPTIONS_H
#define JTGI_TOKENS_TICKETS_TICKET_OPTIONS_H

#include "tokens/tickets/key_blob.h"

/* Read a caller's options, or the defaults where given is NULL, and check them, alone and together.
 */
jtg_status jtgi_ticket_options_read(jtg_ticket_options *options, const jtg_ticket_options *given,
                                    jtg_error *err);

struct jtgi_key_schedule jtgi_ticket_options_schedule(const jtg_ticket_options *options);

/* Set the zone and the KEKs; without a file, a KEK that is drawn. */
jtg_status jtgi_ticket_options_wrapper(struct jtgi_wrapper *wrapper,
                                       const jtg_ticket_options *options, jtg_error *err);

#endif
