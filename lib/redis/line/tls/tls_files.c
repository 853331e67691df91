/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/tls/tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef crypto_generichash_state print_state;

static void add(print_state *state, const void *data, size_t len)
{
    (void)crypto_generichash_update(state, data, len);
}

static void add_facts(print_state *state, const struct stat *facts)
{
    const int64_t words[] = {(int64_t)facts->st_dev,          (int64_t)facts->st_ino,
                             (int64_t)facts->st_size,         (int64_t)facts->st_mtim.tv_sec,
                             (int64_t)facts->st_mtim.tv_nsec, (int64_t)facts->st_ctim.tv_sec,
                             (int64_t)facts->st_ctim.tv_nsec};
    add(state, words, sizeof words);
}

/* A file that is not there, or cannot be read, is another state too. */
static void add_absence(print_state *state)
{
    int cause = errno;
    add(state, &cause, sizeof cause);
}

static void add_content(print_state *state, int fd)
{
    unsigned char buffer[4096];
    ssize_t got = 0;
    do {
        got = read(fd, buffer, sizeof buffer);
        if (got > 0)
            add(state, buffer, (size_t)got);
    } while (got > 0 || (got < 0 && errno == EINTR));
    if (got < 0)
        add_absence(state);
    sodium_memzero(buffer, sizeof buffer); /* one of them is a key */
}

/* False: it is no plain file, and reading it may wait, or take from it what is there once. */
static bool add_file(print_state *state, const char *path)
{
    struct stat facts;
    if (path == NULL)
        return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &facts) != 0) {
        add_absence(state);
        if (fd >= 0)
            (void)close(fd);
        return true;
    }
    bool plain = S_ISREG(facts.st_mode);
    add_facts(state, &facts);
    if (plain)
        add_content(state, fd);
    (void)close(fd);
    return plain;
}

static void add_place(print_state *state, const char *variable, const char *otherwise)
{
    struct stat facts;
    const char *chosen = secure_getenv(variable);
    if (stat(chosen != NULL ? chosen : otherwise, &facts) == 0)
        add_facts(state, &facts);
    else
        add_absence(state);
}

/* A file of all, and a folder with one each, whose time says that one was put in or taken out. */
static void add_system(print_state *state)
{
    add_place(state, X509_get_default_cert_file_env(), X509_get_default_cert_file());
    add_place(state, X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
}

bool jtgi_tls_files_print(const jtg_redis_options *options,
                          unsigned char print[JTGI_TLS_PRINT_BYTES])
{
    print_state state;
    (void)crypto_generichash_init(&state, NULL, 0, JTGI_TLS_PRINT_BYTES);
    if (options->tls_ca_file == NULL)
        add_system(&state);
    bool plain = add_file(&state, options->tls_ca_file);
    plain = add_file(&state, options->tls_cert_file) && plain;
    plain = add_file(&state, options->tls_key_file) && plain;
    (void)crypto_generichash_final(&state, print, JTGI_TLS_PRINT_BYTES);
    sodium_memzero(&state, sizeof state);
    return plain;
}
