/* SPDX-License-Identifier: Apache-2.0 */
#include "key_source.h"

#include "discovery.h"

#include <errno.h>
#include <jtiguard/backend.h>
#include <stdio.h>
#include <string.h>

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

static jtg_status take_file(const struct key_source *source, const struct bytes *bytes,
                            struct key_answer *answer, jtg_error *err)
{
    const char *why = NULL;
    answer->set = jwks_read(bytes->data, bytes->len, &answer->tally, &why);
    if (answer->set == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "key file of %.60s: %s", source->issuer,
                             why);
    if (answer->tally.kept > 0)
        return JTG_OK;
    jwks_release(answer->set);
    answer->set = NULL;
    return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "key file of %.60s: it has no usable key",
                         source->issuer);
}

jtg_status key_source_read(const struct key_source *source, uint32_t max_bytes,
                           struct key_answer *answer, jtg_error *err)
{
    struct bytes bytes = {NULL, 0, 0};
    *answer = (struct key_answer){.max_age_s = -1};
    FILE *file = fopen(source->at, "re");
    if (file == NULL)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "key file of %.60s: %s", source->issuer,
                             strerror(errno));
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

static bool fetch_document(struct key_answer *answer, struct fetcher *fetcher, const char *what,
                           const char *url, struct document *document)
{
    char with_status[128];
    const char *why = NULL;
    if (fetch(fetcher, url, document, &why))
        return true;
    answer->retry_after_s = document->retry_after_s;
    (void)snprintf(with_status, sizeof with_status, "status %ld: %s", document->status, why);
    explain(answer, what, url, document->status > 0 ? with_status : why);
    return false;
}

static bool discover(struct key_answer *answer, const struct key_source *source,
                     struct fetcher *fetcher, char url[DISCOVERY_URL_BYTES])
{
    char place[DISCOVERY_URL_BYTES];
    char why[DISCOVERY_WHY_BYTES];
    struct document document = {{NULL, 0, 0}, -1, 0, 0};
    if (!discovery_url(place, source->issuer)) {
        (void)snprintf(answer->why, sizeof answer->why, "the issuer's name is too long");
        return false;
    }
    bool is_found = fetch_document(answer, fetcher, discovery_document, place, &document);
    if (is_found &&
        !discovery_read(url, source->issuer, document.body.data, document.body.len, why)) {
        explain(answer, discovery_document, place, why);
        is_found = false;
    }
    bytes_clear(&document.body);
    return is_found;
}

static void fetch_set(struct key_answer *answer, struct fetcher *fetcher, const char *url)
{
    struct document document;
    const char *why = NULL;
    if (fetch_document(answer, fetcher, key_set, url, &document)) {
        answer->set = jwks_read(document.body.data, document.body.len, &answer->tally, &why);
        answer->max_age_s = document.max_age_s;
        if (answer->set == NULL)
            explain(answer, key_set, url, why);
        else if (answer->tally.kept == 0)
            explain(answer, key_set, url, "it has no usable key");
    }
    bytes_clear(&document.body);
}

struct key_answer key_source_fetch(const struct key_source *source, struct fetcher *fetcher)
{
    char url[DISCOVERY_URL_BYTES];
    struct key_answer answer = {.max_age_s = -1};
    if (source->from == KEYS_FROM_URL)
        fetch_set(&answer, fetcher, source->at);
    else if (discover(&answer, source, fetcher, url))
        fetch_set(&answer, fetcher, url);
    return answer;
}
