/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/keys/marker.h"

#include "core/alloc.h"
#include "core/digits.h"

#include <errno.h>
#include <inttypes.h>
#include <jtiguard/status.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- who a server is ---- */

void jtgi_identity_of(struct jtgi_identity *identity, const jtg_redis_server *server,
                      const struct jtgi_redis_config *config, uint64_t epoch)
{
    memset(identity, 0, sizeof *identity);
    memcpy(identity->run_id, server->run_id, sizeof server->run_id);
    memcpy(identity->replication_id, server->replication_id, sizeof server->replication_id);
    identity->database = config->options.database;
    identity->evicted_keys = server->evicted_keys;
    identity->epoch = epoch;
}

static bool is_same_server(const struct jtgi_identity *one, const struct jtgi_identity *other)
{
    return strcmp(one->run_id, other->run_id) == 0 &&
           strcmp(one->replication_id, other->replication_id) == 0 &&
           one->database == other->database && one->evicted_keys == other->evicted_keys;
}

bool jtgi_identity_equals(const struct jtgi_identity *one, const struct jtgi_identity *other)
{
    return is_same_server(one, other) && one->epoch == other->epoch;
}

bool jtgi_marker_names(const struct jtgi_marker *marker, const struct jtgi_identity *server)
{
    return is_same_server(&marker->identity, server) &&
           (server->epoch == JTGI_NO_EPOCH || marker->identity.epoch == server->epoch);
}

void jtgi_identity_format(const struct jtgi_identity *identity, char text[JTGI_IDENTITY_TEXT_BYTES])
{
    (void)snprintf(text, JTGI_IDENTITY_TEXT_BYTES, "%s %s %" PRIu32 " %" PRIu64, identity->run_id,
                   identity->replication_id, identity->database, identity->evicted_keys);
}

void jtgi_epoch_format(uint64_t epoch, char text[JTGI_EPOCH_TEXT_BYTES])
{
    if (epoch == JTGI_NO_EPOCH)
        memcpy(text, "-", 2);
    else
        (void)snprintf(text, JTGI_EPOCH_TEXT_BYTES, "%" PRIu64, epoch);
}

void jtgi_who_of(struct jtgi_who *who, const struct jtgi_identity *identity)
{
    char text[JTGI_IDENTITY_TEXT_BYTES];
    char epoch[JTGI_EPOCH_TEXT_BYTES];
    crypto_generichash_state state;
    jtgi_identity_format(identity, text);
    jtgi_epoch_format(identity->epoch, epoch);
    (void)crypto_generichash_init(&state, NULL, 0, sizeof who->bytes);
    (void)crypto_generichash_update(&state, (const unsigned char *)text, strlen(text) + 1);
    (void)crypto_generichash_update(&state, (const unsigned char *)epoch, strlen(epoch) + 1);
    (void)crypto_generichash_final(&state, who->bytes, sizeof who->bytes);
}

/* ---- what a marker says ---- */

enum { VERSION = 2 };

/* The next word of a text that ends with NUL; false when there is none, or it is too long. */
static bool next_word(const char **text, char *word, size_t size)
{
    size_t len = strcspn(*text, " ");
    if (len == 0 || len >= size)
        return false;
    memcpy(word, *text, len);
    word[len] = '\0';
    *text += len;
    if (**text == '\0')
        return true;
    (*text)++;
    return **text != '\0';
}

static bool read_unsigned(const char **text, uint64_t limit, uint64_t *number)
{
    char word[24];
    return next_word(text, word, sizeof word) &&
           jtgi_digits_read(word, strlen(word), limit, number);
}

static bool read_nonce(const char **text, uint64_t *nonce)
{
    char word[24];
    if (!next_word(text, word, sizeof word) || strspn(word, "0123456789abcdef") != strlen(word))
        return false;
    errno = 0;
    *nonce = strtoull(word, NULL, 16);
    return errno == 0 && *nonce >= JTGI_NONCE_FIRST;
}

static bool skip_dash(const char **text)
{
    bool dash = strncmp(*text, "- ", 2) == 0;
    *text += dash ? 2 : 0;
    return dash;
}

static bool read_epoch(const char **text, uint64_t *epoch)
{
    *epoch = JTGI_NO_EPOCH;
    return skip_dash(text) || read_unsigned(text, JTGI_NO_EPOCH - 1, epoch);
}

static bool read_vouched(const char **text, int64_t *vouched_ms)
{
    uint64_t number = 0;
    bool read = read_unsigned(text, INT64_MAX - 1, &number);
    *vouched_ms = (int64_t)number;
    return read;
}

static bool read_since(const char **text, int64_t *since_ms)
{
    uint64_t number = 0;
    *since_ms = JTGI_SINCE_PENDING;
    if (skip_dash(text))
        return true;
    if (!read_unsigned(text, INT64_MAX - 1, &number))
        return false;
    *since_ms = number == 0 ? JTGI_SINCE_EVER : (int64_t)number;
    return true;
}

bool jtgi_marker_read(struct jtgi_marker *marker, const char *text, size_t text_len)
{
    uint64_t version = 0;
    uint64_t database = 0;
    memset(marker, 0, sizeof *marker);
    if (memchr(text, '\0', text_len) != NULL)
        return false;
    bool read =
        read_unsigned(&text, VERSION, &version) && version == VERSION &&
        next_word(&text, marker->identity.run_id, sizeof marker->identity.run_id) &&
        next_word(&text, marker->identity.replication_id, sizeof marker->identity.replication_id) &&
        read_unsigned(&text, UINT32_MAX, &database) &&
        read_unsigned(&text, UINT64_MAX, &marker->identity.evicted_keys) &&
        read_epoch(&text, &marker->identity.epoch) && read_since(&text, &marker->since_ms) &&
        read_vouched(&text, &marker->vouched_ms) && read_nonce(&text, &marker->nonce) &&
        *text == '\0';
    marker->identity.database = (uint32_t)database;
    return read;
}

uint64_t jtgi_nonce_new(void)
{
    uint64_t nonce = 0;
    while (nonce < JTGI_NONCE_FIRST)
        randombytes_buf(&nonce, sizeof nonce);
    return nonce;
}

void jtgi_nonce_format(uint64_t nonce, char text[JTGI_NONCE_TEXT_BYTES])
{
    (void)snprintf(text, JTGI_NONCE_TEXT_BYTES, "%016" PRIx64, nonce);
}

void jtgi_marker_since_format(int64_t since_ms, char text[JTGI_MOMENT_BYTES])
{
    struct tm parts;
    time_t seconds = (time_t)(since_ms / 1000);
    const char *word = since_ms == JTGI_SINCE_EVER ? "ever" : "never";
    if (since_ms == JTGI_SINCE_EVER || since_ms == JTGI_SINCE_PENDING ||
        gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, JTGI_MOMENT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        memcpy(text, word, strlen(word) + 1);
}

/* ---- its key ---- */

static const unsigned char mark[] = {0xff, 'c'};

static size_t build_key(const struct jtgi_redis_config *config, uint32_t number, bool numbered,
                        unsigned char *key)
{
    size_t len = config->prefix_len;
    memcpy(key, config->options.prefix, len);
    memcpy(key + len, mark, sizeof mark);
    len += sizeof mark;
    if (numbered) {
        int written =
            snprintf((char *)key + len, JTGI_MARKER_KEY_MAX_BYTES - len, "{%" PRIu32 "}", number);
        len += (size_t)written;
    }
    return len;
}

/* Numbers in order, until each slot has its first. Which they are depends on the prefix only, so
 * every instance finds the same. It takes some 170,000 of them, and a hundredth of a second. */
static void find_numbers(const struct jtgi_redis_config *config, uint32_t *numbers)
{
    unsigned char key[JTGI_MARKER_KEY_MAX_BYTES];
    struct jtgi_slot_set found = {{0}};
    unsigned missing = JTGI_SLOTS;
    for (uint32_t number = 0; missing > 0; number++) {
        size_t len = build_key(config, number, true, key);
        uint16_t slot = jtgi_slot_of(key, len);
        if (jtgi_slot_set_has(&found, slot))
            continue;
        jtgi_slot_set_add(&found, slot);
        numbers[slot] = number;
        missing--;
    }
}

jtg_status jtgi_marker_keys_init(struct jtgi_marker_keys *keys,
                                 const struct jtgi_redis_config *config, jtg_error *err)
{
    keys->config = config;
    keys->numbers = NULL;
    keys->only = 0;
    if (config->slots == 1)
        return JTG_OK;
    if (jtgi_slot_is_tagged(config->options.prefix, config->prefix_len)) {
        keys->only = jtgi_slot_of(config->options.prefix, config->prefix_len);
        return JTG_OK;
    }
    keys->numbers = jtgi_alloc(JTGI_SLOTS * sizeof *keys->numbers);
    if (keys->numbers == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a cache");
    find_numbers(config, keys->numbers);
    return JTG_OK;
}

void jtgi_marker_keys_clear(struct jtgi_marker_keys *keys)
{
    jtgi_free(keys->numbers);
    keys->numbers = NULL;
}

bool jtgi_marker_keys_have(const struct jtgi_marker_keys *keys, uint16_t slot)
{
    return keys->numbers != NULL || slot == keys->only;
}

size_t jtgi_marker_key(const struct jtgi_marker_keys *keys, uint16_t slot, unsigned char *key)
{
    bool numbered = keys->numbers != NULL;
    return build_key(keys->config, numbered ? keys->numbers[slot] : 0, numbered, key);
}

bool jtgi_marker_is_key(const struct jtgi_redis_config *config, const void *key, size_t key_len)
{
    const unsigned char *bytes = key;
    size_t head = config->prefix_len + sizeof mark;
    return key_len >= head && memcmp(bytes, config->options.prefix, config->prefix_len) == 0 &&
           memcmp(bytes + config->prefix_len, mark, sizeof mark) == 0 &&
           (key_len == head || bytes[head] == '{');
}
