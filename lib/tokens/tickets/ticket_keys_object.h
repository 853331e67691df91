/* SPDX-License-Identifier: Apache-2.0 */
/* The object behind ticket_keys.h, shared by the files that implement it. */
#ifndef JTGI_TOKENS_TICKETS_TICKET_KEYS_OBJECT_H
#define JTGI_TOKENS_TICKETS_TICKET_KEYS_OBJECT_H

#include "tokens/tickets/key_ring.h"
#include "tokens/tickets/ticket.h"

#include "core/object.h"

#include <jtiguard/ticket_keys.h>

struct jtg_ticket_keys {
    struct jtgi_object base;
    struct jtgi_wrapper *wrapper; /* in locked memory */
    struct jtgi_ticket_zone zone;
    struct jtgi_key_ring ring;
    uint32_t lifetime_s;
    bool refresh_on_use;
};

/* The clocks of this process, in the time of the set. */
struct jtgi_set_time jtgi_ticket_keys_now(const jtg_ticket_keys *keys,
                                          const struct jtgi_key_set *set);

jtg_status jtgi_ticket_keys_forked(const jtg_ticket_keys *keys, jtg_error *err);

/* A key that was chosen, and the set that holds it: jtgi_key_set_drop() it. */
struct jtgi_chosen_key {
    struct jtgi_key_set *set;
    const struct jtgi_set_entry *entry;
    struct jtgi_set_time now;
    bool is_sealing; /* it is the one whose turn it is */
};

/* The key to seal the next ticket with, counted; or why not, told to err. */
jtg_ticket_reason jtgi_ticket_keys_sealing(jtg_ticket_keys *keys, struct jtgi_chosen_key *chosen,
                                           jtg_error *err);

/* The key of a name, if it may open. */
jtg_ticket_reason jtgi_ticket_keys_opening(jtg_ticket_keys *keys,
                                           const unsigned char name[JTG_TICKET_NAME_BYTES],
                                           struct jtgi_chosen_key *chosen, jtg_error *err);

#endif
