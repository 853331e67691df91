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
    answer->set = jwks_read(bytes->data, bytes->len, &answer->tally, &answer->why);
    if (answer->set == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "key file of %.60s: %s", source->issuer,
                             answer->why);
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

static bool discover(struct key_answer *answer, const struct key_source *source,
                     struct fetcher *fetcher, char url[DISCOVERY_URL_BYTES])
{
    char place[DISCOVERY_URL_BYTES];
    struct document document = {{NULL, 0, 0}, -1, 0};
    answer->why = "the issuer's name is too long";
    bool is_found =
        discovery_url(place, source->issuer) && fetch(fetcher, place, &document, &answer->why) &&
        discovery_read(url, source->issuer, document.body.data, document.body.len, &answer->why);
    answer->retry_after_s = document.retry_after_s;
    bytes_clear(&document.body);
    return is_found;
}

static void fetch_set(struct key_answer *answer, struct fetcher *fetcher, const char *url)
{
    struct document document;
    if (fetch(fetcher, url, &document, &answer->why))
        answer->set =
            jwks_read(document.body.data, document.body.len, &answer->tally, &answer->why);
    answer->max_age_s = document.max_age_s;
    answer->retry_after_s = document.retry_after_s;
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
