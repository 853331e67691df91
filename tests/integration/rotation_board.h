/* SPDX-License-Identifier: Apache-2.0 */
/* What the processes of ticket_rotation tell each other, in memory that they share. One of them is
 * killed at any moment, so nothing here is locked: who was killed while it wrote leaves a place
 * that the others skip. */
#ifndef TESTS_INTEGRATION_ROTATION_BOARD_H
#define TESTS_INTEGRATION_ROTATION_BOARD_H

#include <jtiguard/ticket_keys.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    ROTATION_PROCESSES = 3,
    ROTATION_KEYS = 4096,
    ROTATION_TICKETS = 4096,
    ROTATION_TICKET_BYTES = 128,
    ROTATION_SECRET_BYTES = 128 /* all that must not be seen of a key */
};

struct rotation_key {
    atomic_uint state; /* free, being written, there */
    unsigned char name[JTG_TICKET_NAME_BYTES];
    unsigned char secrets[ROTATION_SECRET_BYTES];
    atomic_bool loaded[ROTATION_PROCESSES];
};

struct rotation_ticket {
    atomic_uint turn; /* odd while somebody has the place; 0: nothing was written yet */
    int64_t sealed_ms;
    unsigned len;
    unsigned char bytes[ROTATION_TICKET_BYTES];
};

struct rotation_board {
    int64_t end_ms;
    _Atomic int64_t refreshed_ms[ROTATION_PROCESSES]; /* when its last good refresh began */
    struct rotation_key keys[ROTATION_KEYS];
    struct rotation_ticket tickets[ROTATION_TICKETS];
    atomic_uint next_ticket;
    _Atomic uint64_t seals;
    _Atomic uint64_t opens;
    _Atomic uint64_t refused[JTG_TICKET_REASON_COUNT]; /* seals that were refused */
    _Atomic uint64_t lost[JTG_TICKET_REASON_COUNT];    /* live tickets that did not open */
    _Atomic uint64_t too_early; /* seals under a key that an instance in time did not have */
    _Atomic uint64_t failures[JTG_STATUS_COUNT]; /* refreshes that failed */
    _Atomic uint64_t version;
};

/* Milliseconds of the clock that all processes share. */
int64_t rotation_now_ms(void);

/* This process has loaded a key. */
void rotation_board_loaded(struct rotation_board *board, unsigned process,
                           const unsigned char name[JTG_TICKET_NAME_BYTES],
                           const unsigned char secrets[ROTATION_SECRET_BYTES]);

/* Forget what a process had loaded: it was killed. */
void rotation_board_forget(struct rotation_board *board, unsigned process);

/* Has a process loaded the key? */
bool rotation_board_has(const struct rotation_board *board, unsigned process,
                        const unsigned char name[JTG_TICKET_NAME_BYTES]);

void rotation_board_publish(struct rotation_board *board, const unsigned char *ticket, unsigned len,
                            int64_t sealed_ms);

/* A copy of some ticket; false if there is none at that place. */
bool rotation_board_pick(struct rotation_board *board, unsigned at, struct rotation_ticket *ticket);

#endif
