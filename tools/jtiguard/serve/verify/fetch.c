/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { STATUS_OK = 200 };

struct fetcher {
    struct fetch_rules rules;
    CURLM *multi;
    atomic_bool stopping;
};

/* What one fetch needs. */
struct transfer {
    struct document *document;
    size_t max_bytes;
};

static void start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct fetcher *fetcher_new(const struct fetch_rules *rules)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, start_curl);
    struct fetcher *fetcher = calloc(1, sizeof *fetcher);
    if (fetcher == NULL)
        return NULL;
    fetcher->rules = *rules;
    atomic_init(&fetcher->stopping, false);
    fetcher->multi = curl_multi_init();
    if (fetcher->multi != NULL)
        return fetcher;
    free(fetcher);
    return NULL;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    (void)curl_multi_cleanup(fetcher->multi);
    free(fetcher);
}

void fetcher_stop(struct fetcher *fetcher)
{
    atomic_store(&fetcher->stopping, true);
    (void)curl_multi_wakeup(fetcher->multi);
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0 ||
           strcasecmp(host, "localhost") == 0;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return has;
}

static bool may_use(CURLU *url, bool allow_loopback_http)
{
    char *scheme = NULL;
    char *host = NULL;
    bool may = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
               curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
               !has_part(url, CURLUPART_USER) && !has_part(url, CURLUPART_PASSWORD) &&
               !has_part(url, CURLUPART_FRAGMENT) &&
               (strcasecmp(scheme, "https") == 0 ||
                (allow_loopback_http && strcasecmp(scheme, "http") == 0 && is_loopback(host)));
    curl_free(scheme);
    curl_free(host);
    return may;
}

bool fetch_may(const struct fetch_rules *rules, const char *url)
{
    CURLU *parsed = curl_url();
    bool may = parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
               may_use(parsed, rules->allow_loopback_http);
    curl_url_cleanup(parsed);
    return may;
}

static bool same_part(CURLU *one, CURLU *other, CURLUPart part)
{
    char *text = NULL;
    char *other_text = NULL;
    bool is_same = curl_url_get(one, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                   curl_url_get(other, part, &other_text, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                   strcasecmp(text, other_text) == 0;
    curl_free(text);
    curl_free(other_text);
    return is_same;
}

bool fetch_same_origin(const char *one, const char *other)
{
    CURLU *first = curl_url();
    CURLU *second = curl_url();
    bool is_same = first != NULL && second != NULL &&
                   curl_url_set(first, CURLUPART_URL, one, 0) == CURLUE_OK &&
                   curl_url_set(second, CURLUPART_URL, other, 0) == CURLUE_OK &&
                   same_part(first, second, CURLUPART_SCHEME) &&
                   same_part(first, second, CURLUPART_HOST) &&
                   same_part(first, second, CURLUPART_PORT);
    curl_url_cleanup(first);
    curl_url_cleanup(second);
    return is_same;
}

static void cut_secrets(CURLU *url)
{
    static const CURLUPart parts[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                                      CURLUPART_QUERY, CURLUPART_FRAGMENT};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        (void)curl_url_set(url, parts[i], NULL, 0);
}

void fetch_show(char place[FETCH_PLACE_BYTES], const char *url)
{
    char *text = NULL;
    CURLU *parsed = curl_url();
    bool is_shown = parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK;
    if (is_shown)
        cut_secrets(parsed);
    is_shown = is_shown && curl_url_get(parsed, CURLUPART_URL, &text, 0) == CURLUE_OK;
    (void)snprintf(place, FETCH_PLACE_BYTES, "%s", is_shown ? text : "(no URL)");
    curl_free(text);
    curl_url_cleanup(parsed);
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct bytes *body = &transfer->document->body;
    size_t data_len = size * count;
    if (data_len > transfer->max_bytes - body->len || !bytes_append(body, data, data_len))
        return 0;
    return data_len;
}

/* The library looks a name up in a thread of its own, and joins it when the fetch is given up: a
 * resolver that hangs would hold up the end of the service for as long. */
static bool leave_resolver_behind(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075700
    return curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
#else
    (void)easy;
    return true;
#endif
}

/* Whoever opens a pipe waits for its writer, and the end waits for whoever fetches. */
static bool is_plain(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* No cookies, no credentials of a .netrc, no compression that could unfold without bound. A
 * loopback address is never asked of a proxy. */
static bool set_options(CURL *easy, const struct fetch_rules *rules, const char *url,
                        struct transfer *transfer)
{
    bool is_http = strncasecmp(url, "http:", 5) == 0;
    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_http ? "http" : "https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)rules->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)rules->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, (long)rules->max_bytes) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "jtiguard") == CURLE_OK &&
           leave_resolver_behind(easy) &&
           (!is_http || curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK) &&
           (rules->ca_file == NULL ||
            (is_plain(rules->ca_file) &&
             curl_easy_setopt(easy, CURLOPT_CAINFO, rules->ca_file) == CURLE_OK));
}

static CURLcode result_of(CURLM *multi)
{
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(multi, &left);
    return message != NULL && message->msg == CURLMSG_DONE ? message->data.result
                                                           : CURLE_ABORTED_BY_CALLBACK;
}

static CURLcode run(struct fetcher *fetcher)
{
    int running = 1;
    while (running > 0) {
        if (atomic_load(&fetcher->stopping) ||
            curl_multi_perform(fetcher->multi, &running) != CURLM_OK)
            return CURLE_ABORTED_BY_CALLBACK;
        if (fetcher->rules.tick != NULL)
            fetcher->rules.tick(fetcher->rules.tick_context);
        if (running > 0 &&
            curl_multi_poll(fetcher->multi, NULL, 0, FETCH_TICK_MS, NULL) != CURLM_OK)
            return CURLE_ABORTED_BY_CALLBACK;
    }
    return result_of(fetcher->multi);
}

/* Words that every version of libcurl agrees on, and that hold nothing of the answer. */
static const char *explain(CURLcode code, long status)
{
    switch (code) {
    case CURLE_OK:
        if (status >= 300 && status < 400)
            return "a redirect, which is not followed";
        return "an answer other than 200";
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
        return "the document is larger than allowed";
    case CURLE_ABORTED_BY_CALLBACK:
        return "stopped";
    default:
        return curl_easy_strerror(code);
    }
}

/* A directive is a word, or word=value, between commas. The least of what stands there. */
static int64_t max_age_of(const char *value)
{
    int64_t max_age_s = -1;
    for (const char *at = value; at != NULL; at = strchr(at, ',')) {
        at += strspn(at, ", \t");
        if (strncasecmp(at, "no-store", 8) == 0 || strncasecmp(at, "no-cache", 8) == 0)
            return 0;
        if (strncasecmp(at, "max-age=", 8) != 0)
            continue;
        long long seconds = strtoll(at + 8, NULL, 10);
        if (seconds >= 0 && (max_age_s < 0 || seconds < max_age_s))
            max_age_s = seconds;
    }
    return max_age_s;
}

static int64_t read_max_age(CURL *easy)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(easy, "Cache-Control", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return -1;
    return max_age_of(header->value);
}

/* Seconds, or a date: the library reads both. */
static int64_t read_retry_after(CURL *easy)
{
    curl_off_t seconds = 0;
    if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds < 0)
        return 0;
    return seconds;
}

static bool transfer_one(struct fetcher *fetcher, CURL *easy, struct document *document,
                         const char **why)
{
    long status = 0;
    if (curl_multi_add_handle(fetcher->multi, easy) != CURLM_OK)
        return false;
    CURLcode code = run(fetcher);
    (void)curl_multi_remove_handle(fetcher->multi, easy);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    document->status = status;
    document->max_age_s = read_max_age(easy);
    document->retry_after_s = read_retry_after(easy);
    *why = explain(code, status);
    return code == CURLE_OK && status == STATUS_OK;
}

/* The library's own copy is not ours to wipe. */
static void free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *at = headers; at != NULL; at = at->next)
        sodium_memzero(at->data, strlen(at->data));
    curl_slist_free_all(headers);
}

/* No redirect is followed, so that nobody else gets it. */
static bool set_bearer(CURL *easy, const char *bearer, struct curl_slist **headers)
{
    static const char start[] = "Authorization: Bearer ";
    *headers = NULL;
    if (bearer == NULL)
        return true;
    size_t len = sizeof start + strlen(bearer);
    char *line = malloc(len);
    if (line == NULL)
        return false;
    (void)snprintf(line, len, "%s%s", start, bearer);
    *headers = curl_slist_append(NULL, line);
    sodium_memzero(line, len);
    free(line);
    return *headers != NULL && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers) == CURLE_OK;
}

bool fetch(struct fetcher *fetcher, const char *url, const char *bearer, struct document *document,
           const char **why)
{
    struct curl_slist *headers = NULL;
    struct transfer transfer = {document, fetcher->rules.max_bytes};
    *document = (struct document){{NULL, 0, 0}, -1, 0, 0};
    *why = "the URL is not one that may be fetched";
    if (!fetch_may(&fetcher->rules, url))
        return false;
    *why = "out of memory";
    CURL *easy = curl_easy_init();
    bool is_fetched = easy != NULL && set_options(easy, &fetcher->rules, url, &transfer) &&
                      set_bearer(easy, bearer, &headers) &&
                      transfer_one(fetcher, easy, document, why);
    curl_easy_cleanup(easy);
    free_headers(headers);
    return is_fetched;
}
