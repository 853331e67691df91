/* SPDX-License-Identifier: Apache-2.0 */
/* The key, byte for byte:
 *
 *   "jtg:ar1:" base64url-without-padding( SHA-256( part part part part ) )
 *   part    length in bytes, 8 bytes big-endian, then the bytes
 *   parts   "jtiguard anti-replay 1", zone, "ticket" or "binder" or "random", the identity
 *
 * Both modes that go by the ticket use one key, so that a server of the one does not accept
 * what is recorded by the other. Whoever changes anything here changes the 1s, and opens every
 * flight that is remembered under the old key.
 */
#include "tokens/flight/flight_key.h"

#include "core/digest.h"

#include <jtiguard/status.h>
#include <string.h>

static const char start[] = "jtg:ar1:";
_Static_assert(sizeof start - 1 + JTGI_DIGEST_TEXT_BYTES == JTGI_FLIGHT_KEY_BYTES,
               "the key's size");

struct identity {
    const char *name;
    const void *data;
    size_t data_len;
    size_t least;
    size_t most;
};

static struct identity identity_of(jtg_anti_replay_mode mode, const jtg_flight *flight)
{
    switch (mode) {
    case JTG_ANTI_REPLAY_BINDER:
        return (struct identity){"binder", flight->binder, flight->binder_len,
                                 JTG_ANTI_REPLAY_BINDER_MIN_BYTES,
                                 JTG_ANTI_REPLAY_BINDER_MAX_BYTES};
    case JTG_ANTI_REPLAY_CLIENT_RANDOM:
        return (struct identity){"random", flight->client_random, flight->client_random_len,
                                 JTG_ANTI_REPLAY_RANDOM_BYTES, JTG_ANTI_REPLAY_RANDOM_BYTES};
    case JTG_ANTI_REPLAY_SINGLE_USE:
    case JTG_ANTI_REPLAY_TIME_WINDOWED:
        break;
    }
    return (struct identity){"ticket", flight->ticket, flight->ticket_len, 1,
                             JTG_ANTI_REPLAY_TICKET_MAX_BYTES};
}

jtg_status jtgi_flight_key_make(unsigned char key[JTGI_FLIGHT_KEY_BYTES], const char *zone,
                                jtg_anti_replay_mode mode, const jtg_flight *flight, jtg_error *err)
{
    static const char version[] = "jtiguard anti-replay 1";
    unsigned char bytes[JTGI_DIGEST_BYTES];
    char text[JTGI_DIGEST_TEXT_BYTES + 1];
    struct jtgi_digest digest;
    struct identity identity = identity_of(mode, flight);
    if (identity.data == NULL || identity.data_len < identity.least ||
        identity.data_len > identity.most)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "flight: %s does not have %zu to %zu bytes",
                             identity.name, identity.least, identity.most);

    jtgi_digest_begin(&digest);
    jtgi_digest_part(&digest, version, sizeof version - 1);
    jtgi_digest_part(&digest, zone, strlen(zone));
    jtgi_digest_part(&digest, identity.name, strlen(identity.name));
    jtgi_digest_part(&digest, identity.data, identity.data_len);
    jtgi_digest_end(&digest, bytes);
    jtgi_digest_write(bytes, text);
    memcpy(key, start, sizeof start - 1);
    memcpy(key + sizeof start - 1, text, JTGI_DIGEST_TEXT_BYTES);
    return JTG_OK;
}
