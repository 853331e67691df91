/* SPDX-License-Identifier: Apache-2.0 */
/* Key files for servers that read them. Both take 80 bytes a key: name (16), HMAC key (32), AES key
 * (32); the rest is order. */
#include "tokens/common/safe_file.h"
#include "tokens/tickets/ticket_keys_object.h"

#include "core/alloc.h"
#include "core/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jtiguard/status.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    RAW_BYTES = 80,
    BASE64_BYTES = 108, /* of 80 bytes, with padding */
    HEX_BYTES = 2 * JTG_TICKET_NAME_BYTES,
    PATH_MAX_BYTES = 4000, /* leaves room for what is added within the system's limit */
    HAPROXY_LEAST_KEYS = 3
};
static const char key_suffix[] = ".key";
static const char list_name[] = "/ticket_keys.conf";

/* The keys that are to be written, in the order of the set. */
struct chosen_keys {
    struct jtgi_key_set *set;
    const struct jtgi_set_entry *entries[JTG_TICKET_KEYS_MAX];
    size_t count;
    const struct jtgi_set_entry *sealing;
    const struct jtgi_set_entry *next; /* comes after it; the same where there is none yet */
};

/* False, and why, where no key may seal now. */
static bool choose(jtg_ticket_keys *keys, struct chosen_keys *chosen, jtg_ticket_reason *why)
{
    *why = JTG_TICKET_NO_KEYS;
    chosen->set = jtgi_key_ring_hold(&keys->ring);
    if (chosen->set == NULL)
        return false;
    struct jtgi_set_time now = jtgi_ticket_keys_now(keys, chosen->set);
    chosen->sealing = jtgi_key_set_sealing(chosen->set, &now, why);
    if (chosen->sealing == NULL) {
        jtgi_key_set_drop(chosen->set);
        return false;
    }
    chosen->next = chosen->sealing;
    chosen->count = 0;
    for (size_t i = 0; i < chosen->set->count; i++) {
        const struct jtgi_set_entry *entry = &chosen->set->entries[i];
        if (now.high_ms >= entry->decrypt_until_ms)
            continue;
        if (entry->not_before_ms > now.low_ms)
            chosen->next = entry;
        chosen->entries[chosen->count++] = entry;
    }
    return true;
}

static void write_raw(const struct jtgi_ticket_key *key, unsigned char raw[RAW_BYTES])
{
    memcpy(raw, key->name, JTG_TICKET_NAME_BYTES);
    memcpy(raw + JTG_TICKET_NAME_BYTES, key->cbc + JTGI_SECRET_BYTES, JTGI_SECRET_BYTES);
    memcpy(raw + JTG_TICKET_NAME_BYTES + JTGI_SECRET_BYTES, key->cbc, JTGI_SECRET_BYTES);
}

/* ---- nginx ---- */

/* A key's file, or what a process that was killed while it wrote one has left: .NAME.key.XXXXXX */
static bool is_key_file(const char *name)
{
    enum { SUFFIX_BYTES = sizeof key_suffix - 1, RANDOM_BYTES = 7 };
    bool is_leftover = name[0] == '.';
    name += is_leftover;
    return strspn(name, "0123456789abcdef") == HEX_BYTES &&
           strncmp(name + HEX_BYTES, key_suffix, SUFFIX_BYTES) == 0 &&
           strlen(name + HEX_BYTES + SUFFIX_BYTES) == (is_leftover ? RANDOM_BYTES : 0);
}

static void write_name(const struct jtgi_ticket_key *key, char name[HEX_BYTES + sizeof key_suffix])
{
    (void)sodium_bin2hex(name, HEX_BYTES + 1, key->name, sizeof key->name);
    memcpy(name + HEX_BYTES, key_suffix, sizeof key_suffix);
}

static bool is_chosen(const struct chosen_keys *chosen, const char *file_name)
{
    char name[HEX_BYTES + sizeof key_suffix];
    for (size_t i = 0; i < chosen->count; i++) {
        write_name(chosen->entries[i]->key, name);
        if (strcmp(name, file_name) == 0)
            return true;
    }
    return false;
}

/* Keys whose time is over must not lie about: they open what was recorded. */
static jtg_status remove_others(const struct chosen_keys *chosen, const char *folder,
                                jtg_error *err)
{
    jtg_status status = JTG_OK;
    DIR *listing = opendir(folder);
    if (listing == NULL)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "the folder cannot be read");
    for (const struct dirent *file = readdir(listing); file != NULL; file = readdir(listing))
        if (is_key_file(file->d_name) && !is_chosen(chosen, file->d_name) &&
            unlinkat(dirfd(listing), file->d_name, 0) != 0)
            status = jtg_error_set(err, JTG_ERR_SYSTEM, errno, "an old key cannot be removed");
    (void)closedir(listing);
    return status;
}

static jtg_status write_key(const struct jtgi_ticket_key *key, const char *folder, jtg_error *err)
{
    char path[PATH_MAX_BYTES + 64];
    char name[HEX_BYTES + sizeof key_suffix];
    unsigned char raw[RAW_BYTES];
    write_name(key, name);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    write_raw(key, raw);
    jtg_status status = jtgi_safe_file_write(path, raw, sizeof raw, err);
    sodium_memzero(raw, sizeof raw);
    return status;
}

static size_t write_line(const struct jtgi_ticket_key *key, const char *folder, char *at,
                         size_t room)
{
    char name[HEX_BYTES + sizeof key_suffix];
    write_name(key, name);
    int len = snprintf(at, room, "ssl_session_ticket_key \"%s/%s\";\n", folder, name);
    return len > 0 && (size_t)len < room ? (size_t)len : 0;
}

static jtg_status write_list(const struct chosen_keys *chosen, const char *folder, jtg_error *err)
{
    char path[PATH_MAX_BYTES + 64];
    size_t line_max = strlen(folder) + sizeof path - PATH_MAX_BYTES + HEX_BYTES;
    size_t room = line_max * chosen->count;
    char *list = jtgi_alloc(room);
    if (list == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the list of keys");
    size_t len = write_line(chosen->sealing->key, folder, list, room);
    for (size_t i = chosen->count; i-- > 0;)
        if (chosen->entries[i] != chosen->sealing)
            len += write_line(chosen->entries[i]->key, folder, list + len, room - len);
    (void)snprintf(path, sizeof path, "%s%s", folder, list_name);
    jtg_status status = jtgi_safe_file_write(path, list, len, err);
    jtgi_free(list);
    return status;
}

static jtg_status export_nginx(const struct chosen_keys *chosen, const char *folder, jtg_error *err)
{
    jtg_status status = JTG_OK;
    for (size_t i = 0; i < chosen->count && status == JTG_OK; i++)
        status = write_key(chosen->entries[i]->key, folder, err);
    if (status == JTG_OK)
        status = write_list(chosen, folder, err);
    if (status == JTG_OK)
        status = remove_others(chosen, folder, err);
    return status;
}

/* ---- HAProxy ---- */

static size_t append_key(const struct jtgi_ticket_key *key, char *text, size_t len)
{
    unsigned char raw[RAW_BYTES];
    write_raw(key, raw);
    (void)sodium_bin2base64(text + len, BASE64_BYTES + 1, raw, sizeof raw,
                            sodium_base64_VARIANT_ORIGINAL);
    sodium_memzero(raw, sizeof raw);
    text[len + BASE64_BYTES] = '\n';
    return len + BASE64_BYTES + 1;
}

/* HAProxy wants three keys at least, and takes the last but one to seal. Where there are fewer, or
 * no next one yet, the sealing key is repeated, which opens nothing more. */
static size_t write_haproxy(const struct chosen_keys *chosen, char *text)
{
    size_t len = 0;
    for (size_t i = chosen->count; i < HAPROXY_LEAST_KEYS; i++)
        len = append_key(chosen->sealing->key, text, len);
    for (size_t i = 0; i < chosen->count; i++)
        if (chosen->entries[i] != chosen->sealing && chosen->entries[i] != chosen->next)
            len = append_key(chosen->entries[i]->key, text, len);
    len = append_key(chosen->sealing->key, text, len);
    return append_key(chosen->next->key, text, len);
}

static jtg_status export_haproxy(const struct chosen_keys *chosen, const char *path, jtg_error *err)
{
    size_t room = (size_t)(JTG_TICKET_KEYS_MAX + HAPROXY_LEAST_KEYS) * (BASE64_BYTES + 1) + 1;
    char *text = jtgi_alloc(room);
    if (text == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the key file");
    size_t len = write_haproxy(chosen, text);
    jtg_status status = jtgi_safe_file_write(path, text, len, err);
    jtgi_free_wiped(text, room);
    return status;
}

/* ---- both ---- */

/* It stands between quotes in nginx's configuration. */
static bool is_plain_path(const char *path)
{
    size_t len = strnlen(path, PATH_MAX_BYTES + 1);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f ||
            strchr("\"'\\${};", path[i]) != NULL)
            return false;
    return len <= PATH_MAX_BYTES && path[0] == '/';
}

typedef jtg_status (*exporter)(const struct chosen_keys *, const char *, jtg_error *);

static jtg_status export_by(exporter export_keys, jtg_ticket_keys *keys, const char *path,
                            jtg_error *err)
{
    struct chosen_keys chosen;
    jtg_ticket_reason why;
    jtgi_error_begin(err);
    if (keys == NULL || path == NULL || !is_plain_path(path))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "no keys, or no absolute path without quotes and the like");
    jtg_status status = jtgi_ticket_keys_forked(keys, err);
    if (status != JTG_OK)
        return status;
    if (!choose(keys, &chosen, &why))
        return jtg_error_set(err, JTG_NOT_FOUND, 0, "%s", jtg_ticket_reason_text(why));
    status = export_keys(&chosen, path, err);
    jtgi_key_set_drop(chosen.set);
    return status;
}

jtg_status jtg_ticket_keys_export_nginx(jtg_ticket_keys *keys, const char *folder, jtg_error *err)
{
    return export_by(export_nginx, keys, folder, err);
}

jtg_status jtg_ticket_keys_export_haproxy(jtg_ticket_keys *keys, const char *path, jtg_error *err)
{
    return export_by(export_haproxy, keys, path, err);
}
