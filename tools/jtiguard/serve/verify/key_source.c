/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/key_source.h"

#include "secret_file.h"
#include "serve/verify/discovery.h"

#include <errno.h>
#include <fcntl.h>
#include <jtiguard/status.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_BEARER_BYTES = 16384 };

/* ---- a file ---- */

static bool read_stream(struct bytes *bytes, FILE *file, size_t max_bytes)
{
    char chunk[4096];
    size_t chunk_len = 0;
    while ((chunk_len = fread(chunk, 1, sizeof chunk, file)) > 0)
        if (chunk_len > max_bytes - bytes->len || !bytes_append(bytes, chunk, chunk_len))
            return false;
    return ferror(file) == 0;
}

/* Not a pipe: whoever opens one waits for its writer, with every signal blocked. NULL with errno.
 */
static FILE *open_plain(const char *path)
{
    struct stat status;
    FILE *file = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    errno = EINVAL;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        file = fdopen(fd, "r");
    if (file == NULL)
        (void)close(fd);
    return file;
}

static const char *why_no_key(const struct key_source *source)
{
    return source->owner == JWKS_OF_TRUST_DOMAIN ? "it has no usable key of use jwt-svid"
                                                 : "it has no usable key";
}

static jtg_status take_file(const struct key_source *source, const struct bytes *bytes,
                            struct key_answer *answer, jtg_error *err)
{
    const char *why = NULL;
    answer->set = jwks_read(bytes->data, bytes->len, source->owner, &answer->tally, &why);
    if (answer->set == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "key file of %.60s: %s", source->issuer,
                             why);
    if (answer->tally.kept > 0)
        return JTG_OK;
    jwks_release(answer->set);
    answer->set = NULL;
    return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "key file of %.60s: %s", source->issuer,
                         why_no_key(source));
}

jtg_status key_source_read(const struct key_source *source, uint32_t max_bytes,
                           struct key_answer *answer, jtg_error *err)
{
    struct bytes bytes = {NULL, 0, 0};
    *answer = (struct key_answer){.max_age_s = -1};
    FILE *file = open_plain(source->at);
    if (file == NULL)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "key file of %.60s: %s", source->issuer,
                             errno == EINVAL ? "no plain file" : strerror(errno));
    bool is_read = read_stream(&bytes, file, max_bytes);
    (void)fclose(file);
    jtg_status status = is_read
                            ? take_file(source, &bytes, answer, err)
                            : jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                                            "key file of %.60s: unreadable, or larger than allowed",
                                            source->issuer);
    bytes_clear(&bytes);
    return status;
}

/* ---- a document ---- */

static const char discovery_document[] = "discovery document";
static const char key_set[] = "key set";

static void explain(struct key_answer *answer, const char *what, const char *url, const char *why)
{
    char place[FETCH_PLACE_BYTES];
    fetch_show(place, url);
    (void)snprintf(answer->why, sizeof answer->why, "%s %s: %s", what, place, why);
}

/* ---- the credential ---- */

static bool is_sendable(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if (*at < '!' || *at > '~')
            return false;
    return *text != '\0';
}

static void forget(char *bearer)
{
    if (bearer != NULL)
        sodium_memzero(bearer, strlen(bearer));
    free(bearer);
}

/* One byte more than may be, to see that it is too long. A pipe must not hold up the thread. */
static size_t read_some(const char *path, char *text)
{
    size_t len = 0;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool good = fd >= 0 && secret_file_fault(fd, SECRET_READ_BY_ALL) == NULL;
    while (good && got > 0 && len <= MAX_BEARER_BYTES) {
        got = read(fd, text + len, MAX_BEARER_BYTES + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        (void)close(fd);
    return got == 0 ? len : 0;
}

/* Read for each fetch, for such tokens are exchanged every hour. The caller lets it go with
 * forget(). */
static char *read_bearer(const char *path)
{
    char *text = calloc(1, MAX_BEARER_BYTES + 2);
    size_t len = text != NULL ? read_some(path, text) : 0;
    if (text != NULL)
        text[strcspn(text, "\r\n")] = '\0';
    if (len > 0 && is_sendable(text))
        return text;
    forget(text);
    return NULL;
}

/* ---- a fetch ---- */

static bool fetch_document(struct key_answer *answer, const struct key_source *source,
                           struct fetcher *fetcher, const char *what, const char *url,
                           bool with_token, struct document *document)
{
    char with_status[128];
    const char *why = NULL;
    bool wants_token = with_token && source->token_file != NULL;
    char *bearer = wants_token ? read_bearer(source->token_file) : NULL;
    *document = (struct document){{NULL, 0, 0}, -1, 0, 0};
    if (wants_token && bearer == NULL) {
        explain(answer, what, url,
                "the token for it cannot be read from jwks_token_file, or others can write that");
        return false;
    }
    bool is_fetched = fetch(fetcher, url, bearer, document, &why);
    forget(bearer);
    if (is_fetched)
        return true;
    answer->retry_after_s = document->retry_after_s;
    (void)snprintf(with_status, sizeof with_status, "status %ld: %s", document->status, why);
    explain(answer, what, url, document->status > 0 ? with_status : why);
    return false;
}

/* Where the document lies. false: the issuer's name is too long to tell. */
static bool find_document(char place[DISCOVERY_URL_BYTES], const struct key_source *source)
{
    if (source->at == NULL)
        return discovery_url(place, source->issuer);
    return snprintf(place, DISCOVERY_URL_BYTES, "%s", source->at) < DISCOVERY_URL_BYTES;
}

static bool discover(struct key_answer *answer, const struct key_source *source,
                     struct fetcher *fetcher, const char *place, char url[DISCOVERY_URL_BYTES])
{
    char why[DISCOVERY_WHY_BYTES];
    struct document document;
    bool is_found =
        fetch_document(answer, source, fetcher, discovery_document, place, true, &document);
    if (is_found &&
        !discovery_read(url, source->issuer, document.body.data, document.body.len, why)) {
        explain(answer, discovery_document, place, why);
        is_found = false;
    }
    bytes_clear(&document.body);
    return is_found;
}

static void fetch_set(struct key_answer *answer, const struct key_source *source,
                      struct fetcher *fetcher, const char *url, bool with_token)
{
    struct document document;
    const char *why = NULL;
    if (fetch_document(answer, source, fetcher, key_set, url, with_token, &document)) {
        answer->set =
            jwks_read(document.body.data, document.body.len, source->owner, &answer->tally, &why);
        answer->max_age_s = document.max_age_s;
        if (answer->set == NULL)
            explain(answer, key_set, url, why);
        else if (answer->tally.kept == 0)
            explain(answer, key_set, url, why_no_key(source));
    }
    bytes_clear(&document.body);
}

/* The place of the keys is the document's word: the token goes there only if that is the host for
 * which it was told. */
struct key_answer key_source_fetch(const struct key_source *source, struct fetcher *fetcher)
{
    char place[DISCOVERY_URL_BYTES];
    char url[DISCOVERY_URL_BYTES];
    struct key_answer answer = {.max_age_s = -1};
    if (source->from == KEYS_FROM_URL)
        fetch_set(&answer, source, fetcher, source->at, true);
    else if (!find_document(place, source))
        (void)snprintf(answer.why, sizeof answer.why, "the issuer's name is too long");
    else if (discover(&answer, source, fetcher, place, url))
        fetch_set(&answer, source, fetcher, url, fetch_same_origin(place, url));
    return answer;
}
