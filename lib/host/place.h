/* SPDX-License-Identifier: Apache-2.0 */
/* A place among the processes of a store, and whether whoever holds another one still lives.
 *
 * A process that uses the store holds a lock on one byte of its file, and the lock is held by a
 * mapping (Linux: an open file description lock lives as long as something refers to the
 * description, and a mapping does). So the kernel gives it up when the process ends, however it
 * ends, and when it executes another program; not while it is stopped; and a child of fork() does
 * not keep it. Process ids would say less: they are given again, and differ between namespaces.
 *
 * Places are given again too, so each process in one gets the next generation: the two together are
 * the word that it leaves in a lock (table/lock.h). */
#ifndef JTGI_HOST_PLACE_H
#define JTGI_HOST_PLACE_H

#include <jtiguard/status.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { JTGI_PLACES = 4096, JTGI_PLACE_NAME_BYTES = 16 };

/* Of the process that had the place last. In the file: all zero in a new one. */
struct jtgi_place_record {
    _Atomic uint32_t generation;
    _Atomic uint32_t pid; /* in its own namespace; for messages alone, as the name */
    char name[JTGI_PLACE_NAME_BYTES];
};

/* Where the places are in an open file of a store. */
struct jtgi_places {
    int fd; /* open for reading and writing; borrowed for the call */
    /* How the file is found again when somebody has closed our descriptor; borrowed for the call */
    const char *path;
    uint64_t first_byte;               /* place p is the byte first_byte + p - 1 */
    struct jtgi_place_record *records; /* JTGI_PLACES of them, in the mapped file */
};

struct jtgi_place;

/* Take a free place, and with it all others if none is taken: then nobody else uses the store, and
 * nobody can begin to before jtgi_place_settle(). Waits up to wait_ms for one who does so.
 *
 * JTG_OK, to be followed by settle or free; JTG_ERR_FULL: all are taken; JTG_ERR_SYSTEM (without
 * /proc, too); JTG_ERR_MEMORY. */
jtg_status jtgi_place_take(struct jtgi_place **taken, const struct jtgi_places *places,
                           uint32_t wait_ms, jtg_error *err);

/* Between take and settle: this process holds all places. */
bool jtgi_place_is_alone(const struct jtgi_place *place);

/* Let others in, and look whether the lock really stands by the mapping alone: JTG_ERR_UNSAFE where
 * it does not, as on overlayfs, where a living process would be taken for dead. */
jtg_status jtgi_place_settle(struct jtgi_place *place, jtg_error *err);

/* The lock's word of this process. */
uint32_t jtgi_place_word(const struct jtgi_place *place);

/* Has the process that had this word ended? False in doubt. context is the place of whoever asks.
 * Of type is_dead of table/lock.h. */
bool jtgi_place_is_dead(void *context, uint32_t word);

/* How many processes live, this one included; those who come or go meanwhile may be counted or not.
 * tell: NULL, or called for each. */
unsigned jtgi_place_count(struct jtgi_place *place,
                          void (*tell)(void *context, const struct jtgi_place_record *record),
                          void *context);

/* Read from the beginning of the file, which need not be at its path any more. False: it could not
 * be read, or is shorter. */
bool jtgi_place_read(struct jtgi_place *place, void *to, size_t bytes);

/* Give it back, and let go of the file. What remains says of nobody that he has ended. */
void jtgi_place_leave(struct jtgi_place *place);

/* The same, and with all that remains. NULL does nothing. in_child: the mapping is not there, but
 * the descriptor is. */
void jtgi_place_free(struct jtgi_place *place, bool in_child);

/* Take all places for a moment, without having one: true if nobody had any. They are given back
 * when the description behind fd is closed. */
bool jtgi_places_take_all(const struct jtgi_places *places);

#endif
