/* SPDX-License-Identifier: Apache-2.0 */
/* The marker: the one key of a slot that says since when this very server has kept everything in
 * it. No I/O, no locks.
 *
 *     2 <run id> <replication id> <database> <evicted keys> <epoch> <since, ms> <vouched, ms>
 * <nonce>
 *
 * It has no time to live. Whoever finds one that does not name the server writes a new one, with
 * a new nonce; since is "-" until the writer knows that it stands. Then it is lowered by an
 * operator who vouches, at the moment that stands behind it (0: nobody did), and raised by whoever
 * has relied on another server meanwhile (reliance.h). The epoch is that of the Sentinels, "-"
 * without. */
#ifndef JTGI_REDIS_MARKER_H
#define JTGI_REDIS_MARKER_H

#include "redis/say/options/config.h"
#include "redis/say/slots/slots.h"

/* What makes a server another one: a restart changes the run id, a promotion the replication id.
 * The database is part of it, for SWAPDB exchanges what lies under it. A server that Sentinels left
 * and named again was never told, if it was frozen all the while: only their configuration epoch
 * has changed, which numbers the failovers. */
struct jtgi_identity {
    char run_id[48];
    char replication_id[48];
    uint32_t database;
    uint64_t evicted_keys; /* JTG_REDIS_UNSTATED is as good as a number */
    uint64_t epoch;        /* under which it was named, or JTGI_NO_EPOCH */
};
#define JTGI_NO_EPOCH UINT64_MAX

/* Empty texts where the server did not say: then it cannot be watched. */
void jtgi_identity_of(struct jtgi_identity *identity, const jtg_redis_server *server,
                      const struct jtgi_redis_config *config, uint64_t epoch);

bool jtgi_identity_equals(const struct jtgi_identity *one, const struct jtgi_identity *other);

/* As a marker has it, but for the epoch, and that. */
enum { JTGI_IDENTITY_TEXT_BYTES = 160, JTGI_EPOCH_TEXT_BYTES = 24 };
void jtgi_identity_format(const struct jtgi_identity *identity,
                          char text[JTGI_IDENTITY_TEXT_BYTES]);
void jtgi_epoch_format(uint64_t epoch, char text[JTGI_EPOCH_TEXT_BYTES]);

/* The same, short. */
struct jtgi_who {
    unsigned char bytes[16];
};
void jtgi_who_of(struct jtgi_who *who, const struct jtgi_identity *identity);

#define JTGI_SINCE_PENDING INT64_MAX /* not known yet: later than everything */
#define JTGI_SINCE_EVER    INT64_MIN /* an operator vouches for all that there ever was */

/* A nonce that no marker had, and its text. */
enum { JTGI_NONCE_TEXT_BYTES = 17 };
uint64_t jtgi_nonce_new(void);
void jtgi_nonce_format(uint64_t nonce, char text[JTGI_NONCE_TEXT_BYTES]);

/* Numbers below this one are no nonces. */
enum { JTGI_NONCE_FIRST = 2 };

struct jtgi_marker {
    struct jtgi_identity identity;
    int64_t since_ms;
    int64_t vouched_ms; /* when an operator said so; 0: nobody did */
    uint64_t nonce;
};

/* False when the text is no marker of this version. */
bool jtgi_marker_read(struct jtgi_marker *marker, const char *text, size_t text_len);

/* Does it name this server? Who asks without Sentinels knows no epoch and takes any. */
bool jtgi_marker_names(const struct jtgi_marker *marker, const struct jtgi_identity *server);

/* For people: "2026-01-31T12:00:00Z", "ever" or "never". */
enum { JTGI_MOMENT_BYTES = 32 };
void jtgi_marker_since_format(int64_t since_ms, char text[JTGI_MOMENT_BYTES]);

/* ---- its key ---- */

enum { JTGI_MARKER_KEY_MAX_BYTES = JTG_REDIS_PREFIX_MAX_BYTES + 16 };

/* Where the markers of a cache lie. In a Cluster a number makes each fall into its slot. */
struct jtgi_marker_keys {
    const struct jtgi_redis_config *config; /* borrowed */
    /* Of each slot. NULL: there is one marker, for there is no Cluster, or the prefix puts every
     * key of the cache into one slot. */
    uint32_t *numbers;
    uint16_t only; /* that slot */
};

/* Returns: JTG_OK · JTG_ERR_MEMORY */
jtg_status jtgi_marker_keys_init(struct jtgi_marker_keys *keys,
                                 const struct jtgi_redis_config *config, jtg_error *err);
void jtgi_marker_keys_clear(struct jtgi_marker_keys *keys);

/* Has this slot a marker? */
bool jtgi_marker_keys_have(const struct jtgi_marker_keys *keys, uint16_t slot);

/* Writes at most JTGI_MARKER_KEY_MAX_BYTES; returns how many. */
size_t jtgi_marker_key(const struct jtgi_marker_keys *keys, uint16_t slot, unsigned char *key);

/* Is a key of the server a marker of this cache? For count. */
bool jtgi_marker_is_key(const struct jtgi_redis_config *config, const void *key, size_t key_len);

#endif
