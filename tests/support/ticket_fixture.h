/* SPDX-License-Identifier: Apache-2.0 */
/* Instances that share ticket keys in a store, on a clock moved by hand. */
#ifndef TESTS_SUPPORT_TICKET_FIXTURE_H
#define TESTS_SUPPORT_TICKET_FIXTURE_H

#include "support/gated_cache.h"
#include "support/test_clock.h"

#include <jtiguard/ticket_keys.h>

enum {
    TICKET_INSTANCES = 3,
    TICKET_ROOM = 1024,
    TICKET_ROTATION_MS = 3600000,
    TICKET_LEAD_MS = 60000,
    TICKET_LIFETIME_S = 86400
};

struct ticket_fixture {
    struct test_clock clock;
    jtg_clock clock_option;
    jtg_cache *memory;
    struct gated_cache *store;  /* in front of it */
    jtg_ticket_options options; /* of all instances: defaults, the clock, a KEK file */
    char kek_file[64];
    jtg_ticket_keys *instances[TICKET_INSTANCES];
    jtg_ticket_reason reason; /* of the last call below */
    unsigned char ticket[TICKET_ROOM];
    size_t ticket_len;
};

/* cmocka: *state is a fixture without instances. */
int ticket_fixture_set_up(void **state);
int ticket_fixture_tear_down(void **state);

/* Make instance n of the options, and refresh it. */
jtg_ticket_keys *ticket_fixture_open(struct ticket_fixture *fixture, unsigned n);
void ticket_fixture_close(struct ticket_fixture *fixture, unsigned n);

/* Open it and let the lead of the first key pass. */
jtg_ticket_keys *ticket_fixture_ready(struct ticket_fixture *fixture, unsigned n);

/* Seal a known session for a lifetime; true if it is in fixture->ticket. */
bool ticket_fixture_seal(struct ticket_fixture *fixture, jtg_ticket_keys *keys,
                         uint32_t lifetime_s);

/* Open fixture->ticket, and compare what it holds. */
bool ticket_fixture_opens(struct ticket_fixture *fixture, jtg_ticket_keys *keys);

/* What an instance knows; fails the test if it cannot be told. */
void ticket_fixture_state(jtg_ticket_keys *keys, jtg_ticket_keys_state *state);

/* Index of the key that seals, or key_count. */
unsigned ticket_fixture_sealing(const jtg_ticket_keys_state *state);

/* Write a file of mode 0600, or another, with this content; path is filled in. */
void ticket_fixture_key_file(char path[64], const void *content, size_t len, unsigned mode);

#define assert_ticket_reason(got, expected)                                                        \
    assert_string_equal(jtg_ticket_reason_name(got), jtg_ticket_reason_name(expected))

#endif
