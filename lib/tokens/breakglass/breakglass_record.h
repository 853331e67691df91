/* SPDX-License-Identifier: Apache-2.0 */
/* What is stored of a break-glass token: its terms, and a keyed digest of them and of the token. */
#ifndef JTGI_TOKENS_BREAKGLASS_BREAKGLASS_RECORD_H
#define JTGI_TOKENS_BREAKGLASS_BREAKGLASS_RECORD_H

#include "tokens/breakglass/breakglass_token.h"

/* A record lies in the store for this long, whatever its token's time: so there is one to read also
 * when no token is active, and a lookup does the same work in both cases. How much of it is left
 * says how old the record is by the store's clock. */
#define JTGI_BREAKGLASS_KEPT_MS JTG_TTL_MAX_MS

enum {
    JTGI_BREAKGLASS_RECORD_BYTES = 76,
    JTGI_BREAKGLASS_TERMS_BYTES = 44, /* what stands before the tag */
    JTGI_BREAKGLASS_KEY_ID_BYTES = 8,
    JTGI_BREAKGLASS_TAG_BYTES = 32
};

/* The key of a place, and the place's name, which is digested too: a record that is copied to
 * another place is none of that place's. */
struct jtgi_breakglass_sealer {
    const unsigned char *key; /* borrowed, JTG_BREAKGLASS_KEY_BYTES */
    unsigned char key_id[JTGI_BREAKGLASS_KEY_ID_BYTES];
    size_t name_len;
    char name[JTG_BREAKGLASS_NAME_MAX_BYTES];
};

/* Compute key_id; the other members are set. */
void jtgi_breakglass_sealer_init(struct jtgi_breakglass_sealer *sealer);

struct jtgi_breakglass_record {
    bool has_token; /* false: the place is vacant, and the tag is random */
    uint32_t max_uses;
    uint32_t uses;
    int64_t issued_ms;
    uint64_t ttl_ms;
    int64_t epoch; /* of the store (jtg_cache_epoch) when the token was issued; 0 where it has none
                    */
    unsigned char key_id[JTGI_BREAKGLASS_KEY_ID_BYTES];
    unsigned char tag[JTGI_BREAKGLASS_TAG_BYTES];
};

/* A vacant record that no other equals, so that a compare and swap never takes one for another. */
void jtgi_breakglass_record_vacate(struct jtgi_breakglass_record *record,
                                   const struct jtgi_breakglass_sealer *sealer);

/* Set key_id and tag for this token and the record's terms. */
void jtgi_breakglass_record_seal(struct jtgi_breakglass_record *record,
                                 const struct jtgi_breakglass_sealer *sealer,
                                 const struct jtgi_breakglass_token *token);

/* Is it the record of this token, under this key, with these very terms? Does the same work for
 * every record and token. */
bool jtgi_breakglass_record_matches(const struct jtgi_breakglass_record *record,
                                    const struct jtgi_breakglass_sealer *sealer,
                                    const struct jtgi_breakglass_token *token);

void jtgi_breakglass_record_write(const struct jtgi_breakglass_record *record,
                                  unsigned char bytes[JTGI_BREAKGLASS_RECORD_BYTES]);

/* False when the bytes are none that jtgi_breakglass_record_write() makes. */
bool jtgi_breakglass_record_read(struct jtgi_breakglass_record *record, const unsigned char *bytes,
                                 size_t bytes_len);

/* Has its time ended, by either clock? left_ms: what the store said is left of the record's life.
 */
bool jtgi_breakglass_record_is_over(const struct jtgi_breakglass_record *record, uint64_t left_ms,
                                    int64_t wall_ms);

/* May the store have forgotten, since the token was issued, how it was used or ended?
 * epoch: the store's now. */
bool jtgi_breakglass_record_is_unsure(const struct jtgi_breakglass_record *record, int64_t epoch);

bool jtgi_breakglass_record_is_used_up(const struct jtgi_breakglass_record *record);

#endif
