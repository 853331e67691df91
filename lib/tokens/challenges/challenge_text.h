/* SPDX-License-Identifier: Apache-2.0 */
/* A challenge as text, and its tag. No I/O, no locks.
 *
 *     byte  0  version, 1              byte 25  born of its range, ms since 1970, 6 bytes
 *           1  id of the key, 4             31  its end, likewise
 *           5  name of its range, 16        37  tag, 16
 *          21  number in it, 4
 *
 * in base64url without padding, numbers big-endian. The tag is BLAKE2b over the key,
 * "jtiguard challenge 1" and a NUL byte, the 37 bytes, the length of the set's name in a byte, that
 * name, and the purpose. The key stands in front, 32 bytes as they are: nobody can go on from a
 * digest of BLAKE2b, which is why it has no HMAC; and in the keyed form of it the key alone would
 * fill a block, and cost as much again. */
#ifndef JTGI_TOKENS_CHALLENGES_CHALLENGE_TEXT_H
#define JTGI_TOKENS_CHALLENGES_CHALLENGE_TEXT_H

#include <jtiguard/challenges.h>
#include <stdbool.h>

enum {
    JTGI_CHALLENGE_KEY_ID_BYTES = 4,
    JTGI_CHALLENGE_RANGE_BYTES = 16,
    JTGI_CHALLENGE_BODY_BYTES = 37,
    JTGI_CHALLENGE_TAG_BYTES = 16
};

struct jtgi_challenge_key {
    unsigned char id[JTGI_CHALLENGE_KEY_ID_BYTES]; /* a digest of the bytes */
    unsigned char bytes[JTG_CHALLENGE_SECRET_BYTES];
};

void jtgi_challenge_key_set(struct jtgi_challenge_key *key, const void *bytes);

struct jtgi_challenge {
    unsigned char key_id[JTGI_CHALLENGE_KEY_ID_BYTES];
    unsigned char range[JTGI_CHALLENGE_RANGE_BYTES];
    uint32_t number;
    int64_t born_ms;
    int64_t end_ms;
};

/* What a tag speaks of beside the challenge. Borrowed. */
struct jtgi_challenge_scope {
    const char *name;
    size_t name_len;
    const void *purpose;
    size_t purpose_len;
};

/* key_id is that of the key, whatever the challenge says. */
void jtgi_challenge_write(const struct jtgi_challenge *challenge,
                          const struct jtgi_challenge_key *key,
                          const struct jtgi_challenge_scope *scope,
                          char text[JTG_CHALLENGE_TEXT_BYTES]);

/* One that was shown: nothing of it is true before its tag was checked. */
struct jtgi_challenge_shown {
    struct jtgi_challenge challenge;
    unsigned char body[JTGI_CHALLENGE_BODY_BYTES];
    unsigned char tag[JTGI_CHALLENGE_TAG_BYTES];
};

/* False for what is no challenge. Of each there is one spelling. */
bool jtgi_challenge_read(struct jtgi_challenge_shown *shown, const char *text, size_t text_len);

/* In a time that does not depend on the tag. */
bool jtgi_challenge_is_of(const struct jtgi_challenge_shown *shown,
                          const struct jtgi_challenge_key *key,
                          const struct jtgi_challenge_scope *scope);

#endif
