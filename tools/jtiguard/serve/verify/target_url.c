/* SPDX-License-Identifier: Apache-2.0 */
/* Every step writes at most as much as it reads, plus one "/" and two letters for each that is
 * encoded here, so that one check of the length at the start bounds them all. */
#include "serve/verify/target_url.h"

#include "digits.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What is left to read, and where the next letter goes. */
struct work {
    const char *at;
    const char *end;
    char *out;
};

/* Letters are those of ASCII, whatever the locale says. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

/* The next letter of what comes out. */
static void put(struct work *work, char c, bool to_lower)
{
    *work->out++ = c;
    if (to_lower)
        work->out[-1] = lower(c);
}

static bool is_one_of(char c, const char *list)
{
    return c != '\0' && strchr(list, c) != NULL;
}

static bool is_unreserved(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || is_one_of(c, "-._~");
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    return lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10 : -1;
}

static void put_encoded(struct work *work, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    *work->out++ = '%';
    *work->out++ = digits[c >> 4];
    *work->out++ = digits[c & 15];
}

static bool is_encoded(const char *at, const char *end)
{
    return end - at >= 3 && *at == '%' && hex_value(at[1]) >= 0 && hex_value(at[2]) >= 0;
}

/* What RFC 3986 wants encoded in a path and the URL class of browsers leaves as it is, so that it
 * arrives raw in the request line and in htu. A server takes both spellings for one. */
static bool is_raw(const char *at, const char *end)
{
    return is_one_of(*at, "[]|^") || (*at == '%' && !is_encoded(at, end));
}

/* "%2d" is "-", "%2f" stays "%2F". */
static void take_encoded(struct work *work, bool to_lower)
{
    char c = (char)(hex_value(work->at[1]) * 16 + hex_value(work->at[2]));
    work->at += 3;
    if (is_unreserved(c))
        put(work, c, to_lower);
    else
        put_encoded(work, (unsigned char)c);
}

/* Up to one of `ends`: unreserved letters, sub-delims, percent-encoded ones, and `others`. */
static bool take_letters(struct work *work, const char *ends, const char *others, bool to_lower)
{
    while (work->at < work->end) {
        char c = *work->at;
        if (is_encoded(work->at, work->end)) {
            take_encoded(work, to_lower);
            continue;
        }
        if (is_one_of(c, ends))
            break;
        if (!is_unreserved(c) && !is_one_of(c, "!$&'()*+,;=") && !is_one_of(c, others))
            return false;
        put(work, c, to_lower);
        work->at++;
    }
    return true;
}

static const char *skip_scheme(struct work *work)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t len = strlen(schemes[i]);
        if ((size_t)(work->end - work->at) < len || strncasecmp(work->at, schemes[i], len) != 0)
            continue;
        memcpy(work->out, schemes[i], len);
        work->out += len;
        work->at += len;
        return schemes[i];
    }
    return NULL;
}

/* In brackets only what an IPv6 address has. */
static bool take_ip_literal(struct work *work)
{
    *work->out++ = *work->at++;
    while (work->at < work->end && (hex_value(*work->at) >= 0 || is_one_of(*work->at, ":.")))
        *work->out++ = lower(*work->at++);
    if (work->at == work->end || *work->at != ']')
        return false;
    *work->out++ = *work->at++;
    return true;
}

static bool take_host(struct work *work)
{
    const char *start = work->at;
    if (start == work->end || *start == '[')
        return start < work->end && take_ip_literal(work);
    return take_letters(work, ":/?#", "", true) && work->at > start;
}

static bool take_port(struct work *work, unsigned default_port)
{
    uint64_t port = 0;
    if (work->at == work->end || *work->at != ':')
        return true;
    work->at++;
    if (work->at == work->end || !is_digit(*work->at))
        return true;
    if (!digits_take(&work->at, work->end, UINT16_MAX, &port))
        return false;
    /* No longer than what was read: leading zeros go, and so may all of it. */
    if (port != default_port)
        work->out += snprintf(work->out, sizeof ":65535", ":%u", (unsigned)port);
    return true;
}

static bool take_path(struct work *work)
{
    if (work->at < work->end && !is_one_of(*work->at, "/?#"))
        return false;
    while (take_letters(work, "?#[]|^%", ":@/", false)) {
        if (work->at == work->end || !is_raw(work->at, work->end))
            return true;
        put_encoded(work, (unsigned char)*work->at++);
    }
    return false;
}

/* RFC 3986 section 5.2.4, in place, on a path that begins with "/". */
static char *remove_dot_segments(char *path, const char *end)
{
    char *out = path;
    for (const char *at = path; at < end;) {
        const char *next = memchr(at + 1, '/', (size_t)(end - at - 1));
        size_t len = (size_t)((next != NULL ? next : end) - at);
        bool is_last = next == NULL;
        bool is_one = len == 2 && at[1] == '.';
        bool is_two = len == 3 && at[1] == '.' && at[2] == '.';
        at += len;
        if (is_two)
            while (out > path && *--out != '/')
                continue;
        if (!is_one && !is_two) {
            memmove(out, at - len, len);
            out += len;
        } else if (is_last) {
            *out++ = '/';
        }
    }
    return out;
}

static bool take_all(struct work *work)
{
    const char *scheme = skip_scheme(work);
    if (scheme == NULL || !take_host(work) ||
        !take_port(work, strcmp(scheme, "https://") == 0 ? 443 : 80))
        return false;
    char *path = work->out;
    if (!take_path(work))
        return false;
    if (work->out == path)
        *work->out++ = '/';
    work->out = remove_dot_segments(path, work->out);
    return true;
}

/* Whatever is written for it, but for one "/". */
static size_t longest_result(jtg_text given)
{
    size_t len = given.data_len;
    for (size_t i = 0; i < given.data_len && !is_one_of(given.data[i], "?#"); i++)
        len += is_raw(given.data + i, given.data + given.data_len) ? 2 : 0;
    return len;
}

bool target_url_normalize(char url[TARGET_URL_BYTES], jtg_text given)
{
    struct work work = {given.data, given.data + given.data_len, url};
    if (given.data_len == 0 || given.data_len > TARGET_URL_BYTES - 2 ||
        longest_result(given) > TARGET_URL_BYTES - 2 || !take_all(&work))
        return false;
    url[work.out - url] = '\0';
    return true;
}
