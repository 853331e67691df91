/* SPDX-License-Identifier: Apache-2.0 */
#include "breakglass_key.h"

#include "message.h"
#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TEXT_BYTES = sodium_base64_ENCODED_LEN(JTG_BREAKGLASS_KEY_BYTES,
                                           sodium_base64_VARIANT_URLSAFE_NO_PADDING),
    LINE_BYTES = TEXT_BYTES /* the NUL's place is the line end's */
};

static enum exit_code fail(const char *what)
{
    complain("breakglass: --key-file: %s: %s", what, strerror(errno));
    return EXIT_TROUBLE;
}

static enum exit_code refuse(const char *why)
{
    complain("breakglass: --key-file: %s", why);
    return EXIT_USAGE;
}

void breakglass_key_wipe(struct breakglass_key *key)
{
    sodium_memzero(key, sizeof *key);
}

static void write_text(const struct breakglass_key *key, char text[TEXT_BYTES])
{
    (void)sodium_bin2base64(text, TEXT_BYTES, key->bytes, sizeof key->bytes,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* ---- making one ---- */

static bool write_line(int descriptor)
{
    struct breakglass_key key;
    char line[LINE_BYTES];
    randombytes_buf(key.bytes, sizeof key.bytes);
    write_text(&key, line);
    line[LINE_BYTES - 1] = '\n';
    bool good =
        write(descriptor, line, sizeof line) == (ssize_t)sizeof line && fsync(descriptor) == 0;
    sodium_memzero(line, sizeof line);
    breakglass_key_wipe(&key);
    return good;
}

enum exit_code breakglass_key_create(const char *path)
{
    if (sodium_init() < 0) {
        errno = ENOSYS;
        return fail("no randomness");
    }
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return fail("cannot create it");
    bool good = fchmod(descriptor, 0600) == 0 && write_line(descriptor);
    int cause = errno;
    good = close(descriptor) == 0 && good;
    if (good)
        return EXIT_ADMITTED;
    (void)unlink(path);
    errno = cause;
    return fail("cannot write it");
}

/* ---- reading one ---- */

/* Of a key there is one spelling: what was read is written again and compared. */
static bool read_text(struct breakglass_key *key, const char *text, size_t text_len)
{
    char again[TEXT_BYTES];
    size_t bytes = 0;
    if (text_len != TEXT_BYTES - 1 ||
        sodium_base642bin(key->bytes, sizeof key->bytes, text, text_len, NULL, &bytes, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        bytes != sizeof key->bytes)
        return false;
    write_text(key, again);
    bool same = sodium_memcmp(again, text, text_len) == 0;
    sodium_memzero(again, sizeof again);
    return same;
}

static enum exit_code read_from(struct breakglass_key *key, int descriptor)
{
    char text[LINE_BYTES + 1];
    const char *wrong = secret_file_fault(descriptor, SECRET_FOR_ITS_OWNER);
    if (wrong != NULL)
        return refuse(wrong);
    ssize_t got = read(descriptor, text, sizeof text);
    if (got < 0)
        return fail("cannot read it");
    size_t len = (size_t)got;
    if (len > 0 && text[len - 1] == '\n')
        len--;
    bool good = read_text(key, text, len);
    sodium_memzero(text, sizeof text);
    return good ? EXIT_ADMITTED : refuse("it holds no key; 'jtiguard breakglass key' makes one");
}

enum exit_code breakglass_key_read(struct breakglass_key *key, const char *path)
{
    /* Not to wait for the writer of a pipe. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return fail("cannot open it");
    enum exit_code code = read_from(key, descriptor);
    (void)close(descriptor);
    if (code != EXIT_ADMITTED)
        breakglass_key_wipe(key);
    return code;
}
