/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of a store's file: what it is, whose, since when it has kept everything, and who
 * uses it. Fixed widths, no pointers; the table of reservations lies behind it, and behind that the
 * values.
 *
 * Times are milliseconds by the monotonic clock of this boot, which all its processes share. */
#ifndef JTGI_HOST_HEADER_H
#define JTGI_HOST_HEADER_H

#include "host/identity.h"
#include "host/place.h"

#include <jtiguard/backend.h>
#include <stdatomic.h>
#include <stddef.h>

enum {
    /* One more with each change to this file, to value_layout.h or to lib/table/layout.h. */
    JTGI_HOST_LAYOUT = 4,
    JTGI_HOST_TABLE_AT = 256 * 1024
};

/* since_ms of a file that nobody has dated yet: its maker is about to, or died before; or
 * everything is being removed. */
#define JTGI_HOST_UNDATED INT64_MAX

/* since_ms of a file that was vouched for from the beginning: no step of a clock moves it. */
#define JTGI_HOST_EVER (INT64_MIN / 2)

/* A piece that is lent (backend.h), and the lock of it. */
struct jtgi_host_piece {
    _Atomic uint32_t lock;
    uint32_t spare[15];
    unsigned char memory[JTG_LENT_BYTES];
};

struct jtgi_host_header {
    /* What does not change. */
    char magic[8];
    uint32_t layout;
    uint32_t byte_order;
    uint64_t bytes; /* of the file */
    struct jtgi_host_identity identity;
    uint64_t inode;  /* and when it was born: a copy has others */
    int64_t born_ns; /* 0: the kernel does not say */
    int64_t epoch_ms;
    uint64_t max_entries;
    uint64_t max_entries_per_group;
    _Atomic uint64_t left; /* not 0: a user went to another file, which counts for what follows */
    uint64_t partitions;   /* of the table; of a store that was resized, as many as before */
    _Atomic uint64_t
        heir_of;      /* inode of the file that it took the place of with all it held; or 0 */
    int64_t named_ms; /* and when it was about to, at the earliest */
    _Atomic uint64_t is_doubted;  /* nobody has seen yet that it was that file (heir.h) */
    _Atomic int64_t exchanged_ns; /* the sign of a move that the exchange has left */
    uint64_t max_values;
    uint64_t max_value_bytes;
    uint64_t spare[10];

    /* What each call reads. */
    _Atomic int64_t since_ms;  /* it has kept everything since */
    _Atomic int64_t offset_ms; /* the greatest of wall clock minus monotonic clock */
    _Atomic int64_t sweep_due_ms;
    _Atomic uint64_t moving; /* not 0: an heir is about to take its place, or has */
    uint64_t rest_of_line[4];

    /* What few change. */
    _Atomic uint32_t dating;      /* lock: of since_ms while it is UNDATED */
    _Atomic uint32_t users_noted; /* who came and has not left, the dead among them */
    _Atomic uint64_t sweep_at;    /* partition of the pass, counted on through all passes */
    uint64_t rest_of_next_line[6];

    struct jtgi_host_piece pieces[JTG_BORROWER_COUNT];
    struct jtgi_place_record users[JTGI_PLACES];
};

_Static_assert(sizeof(struct jtgi_place_record) == 24, "a process of a 32-bit build sees the same");
_Static_assert(offsetof(struct jtgi_host_header, since_ms) == 256, "layout 4");
_Static_assert(offsetof(struct jtgi_host_header, pieces) == 384, "layout 4");
_Static_assert(offsetof(struct jtgi_host_header, users) ==
                   384 + sizeof(struct jtgi_host_piece) * JTG_BORROWER_COUNT,
               "layout 4");
_Static_assert(sizeof(struct jtgi_host_header) <= JTGI_HOST_TABLE_AT, "the table lies behind it");

/* What is known of the file by its descriptor. */
struct jtgi_host_facts {
    uint64_t bytes;
    uint64_t inode;
    int64_t born_ns;
};

void jtgi_host_header_fill(struct jtgi_host_header *header, const struct jtgi_host_facts *facts,
                           const struct jtgi_host_identity *identity);

/* NULL: it is this file's, of this layout, boot and time namespace. Else what is wrong. */
const char *jtgi_host_header_judge(const struct jtgi_host_header *header,
                                   const struct jtgi_host_facts *facts,
                                   const struct jtgi_host_identity *identity);

/* Is it a store's at all, of whatever layout? Nothing else is ever replaced. */
bool jtgi_host_header_is_ours(const struct jtgi_host_header *header);

#endif
