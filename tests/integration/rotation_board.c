/* SPDX-License-Identifier: Apache-2.0 */
#include "integration/rotation_board.h"

#include <string.h>
#include <time.h>

enum { FREE, WRITING, THERE };

int64_t rotation_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_key(const struct rotation_key *key, const unsigned char *name)
{
    return atomic_load(&key->state) == THERE && memcmp(key->name, name, sizeof key->name) == 0;
}

/* Two processes may add a key at once: then it is there twice, and whoever asks looks at both. */
void rotation_board_loaded(struct rotation_board *board, unsigned process,
                           const unsigned char name[JTG_TICKET_NAME_BYTES],
                           const unsigned char secrets[ROTATION_SECRET_BYTES])
{
    for (unsigned i = 0; i < ROTATION_KEYS; i++) {
        struct rotation_key *key = &board->keys[i];
        unsigned expected = FREE;
        if (is_key(key, name)) {
            atomic_store(&key->loaded[process], true);
            return;
        }
        if (!atomic_compare_exchange_strong(&key->state, &expected, WRITING))
            continue;
        memcpy(key->name, name, sizeof key->name);
        memcpy(key->secrets, secrets, sizeof key->secrets);
        atomic_store(&key->loaded[process], true);
        atomic_store(&key->state, THERE);
        return;
    }
}

void rotation_board_forget(struct rotation_board *board, unsigned process)
{
    atomic_store(&board->refreshed_ms[process], 0);
    for (unsigned i = 0; i < ROTATION_KEYS; i++)
        atomic_store(&board->keys[i].loaded[process], false);
}

bool rotation_board_has(const struct rotation_board *board, unsigned process,
                        const unsigned char name[JTG_TICKET_NAME_BYTES])
{
    for (unsigned i = 0; i < ROTATION_KEYS && atomic_load(&board->keys[i].state) != FREE; i++)
        if (is_key(&board->keys[i], name) && atomic_load(&board->keys[i].loaded[process]))
            return true;
    return false;
}

/* An even number: the place is the caller's until it stores another even one. */
static unsigned take_place(struct rotation_ticket *place)
{
    unsigned turn = atomic_load(&place->turn);
    if (turn % 2 == 0 && atomic_compare_exchange_strong(&place->turn, &turn, turn + 1))
        return turn;
    return 1;
}

void rotation_board_publish(struct rotation_board *board, const unsigned char *ticket, unsigned len,
                            int64_t sealed_ms)
{
    unsigned at = atomic_fetch_add(&board->next_ticket, 1) % ROTATION_TICKETS;
    struct rotation_ticket *place = &board->tickets[at];
    unsigned turn = take_place(place);
    if (turn % 2 != 0)
        return; /* somebody has it, or was killed while he had it */
    place->sealed_ms = sealed_ms;
    place->len = len;
    memcpy(place->bytes, ticket, len);
    atomic_store(&place->turn, turn + 2);
}

bool rotation_board_pick(struct rotation_board *board, unsigned at, struct rotation_ticket *ticket)
{
    struct rotation_ticket *place = &board->tickets[at];
    unsigned turn = take_place(place);
    if (turn % 2 != 0)
        return false;
    ticket->sealed_ms = place->sealed_ms;
    ticket->len = place->len;
    memcpy(ticket->bytes, place->bytes, sizeof ticket->bytes);
    atomic_store(&place->turn, turn);
    return turn != 0;
}
