/* SPDX-License-Identifier: Apache-2.0 */
/* The library keeps the head of a request and the head of its answer in one piece of memory of the
 * connection. An answer that does not fit breaks the connection, and by then the token is used up.
 * So a half of the memory is for what the library reads: the head, and what came with it of the
 * next request; it takes half for that at once, and more only in steps while a head is not whole,
 * which the quarter covers. The other half is for the answer and for what the library keeps of the
 * head: a record for each line, argument and cookie, and a copy of the cookies. These may take as
 * much as a head. What is more than that is refused here, where no token was used. */
#include "serve/http/head.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { RECORD_BYTES = 64 }; /* the library's, for one line: 56, rounded up */

intptr_t head_memory(uint32_t max_bytes)
{
    return 2 * ((intptr_t)max_bytes + (intptr_t)max_bytes / 4 + HEAD_ANSWER_BYTES);
}

struct head {
    const char *at; /* where the next line begins, if each follows upon the one before */
    size_t kept;    /* bytes of records and copies */
    bool places_count;
    unsigned hosts;
    unsigned lengths;
    unsigned encodings;
    bool malformed;
};

static bool is_token_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* RFC 9110 section 5.6.2. A blank before the colon is one of the letters that are none. */
static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_token_letter(text[i]))
            return false;
    return len > 0;
}

/* RFC 9110 section 5.5: no control letter but the tab. */
static bool is_value(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_number(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return len > 0;
}

static bool is_name(const char *name, size_t len, const char *wanted)
{
    return len == strlen(wanted) && strncasecmp(name, wanted, len) == 0;
}

static size_t count_letters(const char *text, size_t len, const char *letters)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += text[i] != '\0' && strchr(letters, text[i]) != NULL;
    return count;
}

/* Which bytes a body has must not be a matter of opinion: whoever reads another end of it than the
 * proxy in front reads another next request. */
static void note_framing(struct head *head, const char *name, size_t name_len, const char *value,
                         size_t value_len)
{
    if (is_name(name, name_len, MHD_HTTP_HEADER_HOST))
        head->hosts++;
    if (is_name(name, name_len, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
        head->lengths++;
        head->malformed = head->malformed || !is_number(value, value_len);
    }
    if (is_name(name, name_len, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
        head->encodings++;
        head->malformed = head->malformed || !is_name(value, value_len, "chunked");
    }
}

/* A library before 1.0 ends a value at a NUL and joins a line to the one before when it begins with
 * a blank; neither shows in what it hands out. But it leaves the head where it was read, so what it
 * hands out lies there with two bytes between one line and the next, or something was left out. */
static bool library_is_lax(void)
{
    return MHD_get_version()[0] == '0';
}

static void note_place(struct head *head, const char *name, const char *value, size_t value_len)
{
    if (head->places_count && (name != head->at || value <= name))
        head->malformed = true;
    head->at = value + value_len + 2;
}

static enum MHD_Result note_line(void *context, enum MHD_ValueKind kind, const char *name,
                                 size_t name_len, const char *value, size_t value_len)
{
    struct head *head = context;
    (void)kind;
    if (value == NULL || !is_token(name, name_len) || !is_value(value, value_len)) {
        head->malformed = true;
        return MHD_NO;
    }
    note_framing(head, name, name_len, value, value_len);
    note_place(head, name, value, value_len);
    head->kept += RECORD_BYTES;
    if (is_name(name, name_len, MHD_HTTP_HEADER_COOKIE))
        head->kept += value_len + RECORD_BYTES * (2 + count_letters(value, value_len, ";,"));
    return MHD_YES;
}

struct head_uri head_uri_of(const char *uri)
{
    const char *query = strchr(uri, '?');
    size_t arguments = query == NULL ? 0 : 1 + count_letters(query, strlen(query), "&");
    return (struct head_uri){uri, strlen(uri), arguments};
}

static bool is_in_its_place(const struct head *head, const struct head_line *line, size_t bytes)
{
    return line->uri.place == line->method + strlen(line->method) + 1 &&
           line->version == line->uri.place + line->uri.len + 1 &&
           head->at + 2 == line->method + bytes;
}

static bool is_framed(const struct head *head, const char *version)
{
    bool old = strcmp(version, MHD_HTTP_VERSION_1_0) == 0;
    return head->hosts <= 1 && head->lengths + head->encodings <= 1 &&
           (!old || head->encodings == 0);
}

static bool leaves_room(const struct head *head, size_t bytes, uint32_t max_bytes)
{
    return bytes <= max_bytes && head->kept <= max_bytes;
}

enum head_verdict head_judge(struct MHD_Connection *mhd, const struct head_line *line,
                             uint32_t max_bytes)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct head head = {.at = line->version + strlen(line->version) + 2,
                        .places_count = library_is_lax(),
                        .kept = line->uri.arguments * RECORD_BYTES};
    if (info == NULL)
        return HEAD_MALFORMED;
    size_t bytes = info->header_size;
    (void)MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, note_line, &head);
    if (head.malformed || !is_framed(&head, line->version) ||
        (head.places_count && !is_in_its_place(&head, line, bytes)))
        return HEAD_MALFORMED;
    return leaves_room(&head, bytes, max_bytes) ? HEAD_GOOD : HEAD_TOO_LONG;
}

bool head_has_trailer(struct MHD_Connection *mhd)
{
    return MHD_get_connection_values(mhd, MHD_FOOTER_KIND, NULL, NULL) > 0;
}
