/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request: whatever it is, a token is answered or was not used up; and what HTTP
 * forbids is refused, whichever version of the HTTP library reads it. */
#include "serve/service_fixture.h"
#include "serve/verify/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct served served;

static int set_up(void **state)
{
    (void)state;
    served_init(&served);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    served_end(&served);
    return 0;
}

static uint16_t port(void)
{
    return service_port(served.service, HTTP_MAIN);
}

static char *next_token(const char *more)
{
    static unsigned last;
    char jti[24];
    (void)snprintf(jti, sizeof jti, "t%u", ++last);
    return served_token(&served, jti, more);
}

/* ---- every head has room for its answer, or is refused before the token is used ---- */

enum { CLAIMS = 8, CLAIM_BYTES = 1000 };

/* A token whose answer is as long as one can be. */
static char *token_of_the_longest_answer(void)
{
    char more[CLAIM_HEADERS_MAX_BYTES + 256] = "";
    size_t own = strlen("user-1") + strlen(SERVED_ISSUER) + CLAIMS * strlen("X-C0");
    size_t left = CLAIM_HEADERS_MAX_BYTES - own;
    for (int i = 0; i < CLAIMS; i++) {
        size_t len = i + 1 < CLAIMS ? CLAIM_BYTES : left;
        size_t at = strlen(more);
        (void)snprintf(more + at, sizeof more - at, ",\"c%d\":\"%0*d\"", i, (int)len, i);
        left -= len;
    }
    return next_token(more);
}

static void start_with_long_answers(void)
{
    for (int i = 0; i < CLAIMS; i++)
        served_argument(&served, "--claim-header=c%d=X-C%d", i, i);
    served_start(&served);
}

/* What a request is blown up with: many of a thing, each of some bytes. */
enum filling { LINES, COOKIES, ARGUMENTS };

/* `count` pieces, each `width` zeros between two texts. */
static char *repeated(size_t count, const char *before, int width, const char *after)
{
    size_t room = count * (strlen(before) + (size_t)width + strlen(after)) + 1;
    char *text = malloc(room);
    assert_non_null(text);
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, room - at, "%s%0*d%s", before, width, 0, after);
    return text;
}

static char *filled_request(enum filling filling, size_t count, int width, const char *token)
{
    char *lines = repeated(filling == LINES ? count : 0, "X-L: ", width, "\r\n");
    char *cookies = repeated(filling == COOKIES ? count : 0, "a=", width, ";");
    char *arguments = repeated(filling == ARGUMENTS ? count : 0, "&", width, "");
    char *request = text_of("GET /check?a%s HTTP/1.1\r\nHost: x\r\n%s%s%s%sAuthorization: "
                            "Bearer %s\r\n\r\n",
                            arguments, lines, *cookies != '\0' ? "Cookie: " : "", cookies,
                            *cookies != '\0' ? "\r\n" : "", token);
    free(lines);
    free(cookies);
    free(arguments);
    return request;
}

/* Whether the token can still be used. */
static bool is_unused(const char *token)
{
    struct check_result result = served_bearer(&served, text_of("%s", token));
    return result.status == 200;
}

/* false: the head was refused, and the token is as good as before. `behind` follows on the same
 * connection. */
static bool is_answered(const char *request, const char *token, const char *behind)
{
    struct http_answer answer;
    int fd = http_connect(port());
    assert_true(fd >= 0);
    char *both = text_of("%s%s", request, behind);
    (void)http_send(fd, both, strlen(both));
    bool came = http_read(fd, &answer, false) && answer.status == 200;
    (void)close(fd);
    free(both);
    if (came) {
        const char *claim = http_header(&answer, "X-C6");
        assert_non_null(claim);
        assert_int_equal(strlen(claim), CLAIM_BYTES);
        assert_non_null(http_header(&answer, "X-C7"));
    } else if (!is_unused(token)) {
        fail_msg("a token was used up without an answer, status %u, %zu bytes", answer.status,
                 strlen(request));
    }
    http_answer_clear(&answer);
    return came;
}

static bool try_one(enum filling filling, size_t count, int width, const char *behind)
{
    char *token = token_of_the_longest_answer();
    char *request = filled_request(filling, count, width, token);
    bool answered = is_answered(request, token, behind);
    free(request);
    free(token);
    return answered;
}

/* Coarsely over the whole range, and each count around the one at which it turns. */
static void walk(enum filling filling, int width, size_t most, size_t step, const char *behind)
{
    size_t good = 0;
    size_t bad = most;
    assert_true(try_one(filling, 0, width, behind));
    for (size_t count = step; count <= most; count += step) {
        bool answered = try_one(filling, count, width, behind);
        if (answered && count > good)
            good = count;
        if (!answered && count < bad)
            bad = count;
    }
    assert_true(good < bad && good > 0);
    for (size_t count = good; count < bad; count++)
        (void)try_one(filling, count, width, behind);
    assert_false(try_one(filling, most, width, behind));
}

static void any_count_of_lines(void **state)
{
    (void)state;
    start_with_long_answers();
    walk(LINES, 1, 1400, 25, "");
    walk(LINES, 60, 1000, 25, "");
    walk(LINES, 400, 160, 5, "");
}

static void any_count_of_cookies(void **state)
{
    (void)state;
    start_with_long_answers();
    walk(COOKIES, 1, 1400, 25, "");
    walk(COOKIES, 200, 300, 10, "");
}

static void any_count_of_arguments(void **state)
{
    (void)state;
    start_with_long_answers();
    walk(ARGUMENTS, 1, 1400, 25, "");
    walk(ARGUMENTS, 100, 400, 10, "");
}

/* The begin of a next request lies behind the head in the same memory. */
static void also_when_a_next_request_follows_at_once(void **state)
{
    (void)state;
    start_with_long_answers();
    char *behind = text_of("GET /check HTTP/1.1\r\nHost: x\r\nX-Long: %060000d", 0);
    walk(LINES, 1, 1400, 50, behind);
    walk(LINES, 400, 160, 20, behind);
    free(behind);
}

static void a_head_beyond_the_bound_is_told_so(void **state)
{
    (void)state;
    struct http_answer answer;
    served_argument(&served, "--max-header-bytes=8192");
    served_start(&served);
    char *token = next_token("");
    char *request = filled_request(LINES, 130, 1, token);
    assert_true(http_ask(port(), request, &answer));
    assert_int_equal(answer.status, 431);
    assert_string_equal(http_header(&answer, "Connection"), "close");
    http_answer_clear(&answer);
    assert_true(is_unused(token));
    free(request);
    free(token);
}

/* ---- what is no HTTP ---- */

struct text_with_nul {
    const char *bytes;
    size_t len;
};
#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

/* Behind the first line and Host, before the token. */
static const struct text_with_nul forbidden_lines[] = {
    BYTES("X-A: good\0bad\r\n"),
    BYTES("X-A: \0\r\n"),
    BYTES("X-\0A: b\r\n"),
    BYTES("X-A : b\r\n"),
    BYTES("X-A\t: b\r\n"),
    BYTES("X A: b\r\n"),
    BYTES("X-A: b\r\n folded\r\n"),
    BYTES("X-A: b\r\n\tfolded\r\n"),
    BYTES("X-A: b\r\n \r\n"),
    BYTES("X-A: b\n"),
    BYTES("X-A: b\rX-B: c\r\n"),
    BYTES("X-A: b\x01\r\n"),
    BYTES("X-A: b\x7f\r\n"),
    BYTES("X(A): b\r\n"),
    BYTES(": b\r\n"),
    BYTES("X-A\r\n"),
    BYTES("Host: y\r\n"),
    BYTES("host: x\r\n"),
    BYTES("Content-Length: 0\r\nContent-Length: 0\r\n"),
    BYTES("Content-Length: 0\r\nContent-Length: 5\r\n"),
    BYTES("Content-Length: 0, 0\r\n"),
    BYTES("Content-Length: +0\r\n"),
    BYTES("Content-Length: -1\r\n"),
    BYTES("Content-Length: 0x0\r\n"),
    BYTES("Content-Length:\r\n"),
    BYTES("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
    BYTES("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"),
    BYTES("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    BYTES("Transfer-Encoding: chunked, chunked\r\n"),
    BYTES("Transfer-Encoding: gzip\r\n"),
    BYTES("Transfer-Encoding: identity\r\n"),
    BYTES("Transfer-Encoding:\r\n"),
};

static const struct text_with_nul forbidden_first_lines[] = {
    BYTES("GET /check\0 HTTP/1.1\r\nHost: x\r\n"),
    BYTES("GET /check\0/other HTTP/1.1\r\nHost: x\r\n"),
    BYTES("GET  /check HTTP/1.1\r\nHost: x\r\n"),
    BYTES("GET /check  HTTP/1.1\r\nHost: x\r\n"),
    BYTES("GET /check /other HTTP/1.1\r\nHost: x\r\n"),
    BYTES("GET\0 /check HTTP/1.1\r\nHost: x\r\n"),
    BYTES("GET /check HTTP/1.1\nHost: x\r\n"),
    BYTES("GET /check HTTP/1.1\r\n"),
    BYTES("GET /check HTTP/1.1\r\n folded: x\r\nHost: x\r\n"),
    BYTES("GET /check HTTP/2.0\r\nHost: x\r\n"),
    BYTES("GET /check http/1.1\r\nHost: x\r\n"),
    BYTES("GET /check HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"),
};

/* first, then middle, then the token and a chunked body that is whole: for whoever believes in
 * it. */
static void assert_refused(const struct text_with_nul *first, const struct text_with_nul *middle,
                           const char *what, size_t number)
{
    struct http_answer answer;
    char *token = next_token("");
    char *rest = text_of("Authorization: Bearer %s\r\n\r\n0\r\n\r\n", token);
    int fd = http_connect(port());
    assert_true(fd >= 0);
    (void)http_send(fd, first->bytes, first->len);
    (void)http_send(fd, middle->bytes, middle->len);
    (void)http_send(fd, rest, strlen(rest));
    if (http_read(fd, &answer, false) && answer.status < 400)
        fail_msg("%s %zu: %u", what, number, answer.status);
    http_answer_clear(&answer);
    (void)close(fd);
    if (!is_unused(token))
        fail_msg("%s %zu used a token up", what, number);
    free(rest);
    free(token);
}

static void what_http_forbids(void **state)
{
    (void)state;
    static const struct text_with_nul first = BYTES("GET /check HTTP/1.1\r\nHost: x\r\n");
    static const struct text_with_nul nothing = BYTES("");
    served_start(&served);
    for (size_t i = 0; i < sizeof forbidden_lines / sizeof *forbidden_lines; i++)
        assert_refused(&first, &forbidden_lines[i], "line", i);
    for (size_t i = 0; i < sizeof forbidden_first_lines / sizeof *forbidden_first_lines; i++)
        assert_refused(&forbidden_first_lines[i], &nothing, "first line", i);
}

/* The last line of a head has none behind it that could show where it ended. */
static void a_nul_in_the_last_line(void **state)
{
    (void)state;
    static const char nul[] = "\0x\r\n\r\n";
    struct http_answer answer;
    served_start(&served);
    char *token = next_token("");
    char *head =
        text_of("GET /check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nX-A: b", token);
    int fd = http_connect(port());
    assert_true(http_send(fd, head, strlen(head)));
    assert_true(http_send(fd, nul, sizeof nul - 1));
    assert_false(http_read(fd, &answer, false) && answer.status < 400);
    http_answer_clear(&answer);
    (void)close(fd);
    assert_true(is_unused(token));
    free(head);
    free(token);
}

/* Lines behind a chunked body are nothing that a caller needs. */
static void a_trailer(void **state)
{
    (void)state;
    struct http_answer answer;
    served_start(&served);
    char *token = next_token("");
    char *request = text_of("POST /check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: b\r\n\r\n",
                            token);
    assert_false(http_ask(port(), request, &answer) && answer.status < 400);
    http_answer_clear(&answer);
    assert_true(is_unused(token));
    free(request);
    free(token);
}

/* ---- what is HTTP, if an unusual one ---- */

static void what_http_allows(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "GET /check HTTP/1.1\r\nHost: x\r\n",
        "GET /check HTTP/1.0\r\n",
        "GET /check HTTP/1.1\r\nhOST:x\r\n",
        "GET /check HTTP/1.1\r\nHost: x\r\nX-A:\r\n",
        "GET /check HTTP/1.1\r\nHost: x\r\nX-A: \r\nX-B:\t \t\r\n",
        "GET /check HTTP/1.1\r\nHost: x\r\nX-A:     b   \r\n",
        "GET /check HTTP/1.1\r\nHost: x\r\nX-A: b\tc\r\nX-A: b: c:\r\n",
        "GET /check HTTP/1.1\r\nHost: x\r\nX-A: \xc3\xa4\xff\r\n",
        "GET /check HTTP/1.1\r\nHost: x\r\n!#$%&'*+-.^_`|~09azAZ: b\r\n",
        "GET /check?a=b&c&&=%20%zz HTTP/1.1\r\nHost: x\r\n",
        "GET /check/%41%2f?%41 HTTP/1.1\r\nHost: x\r\n",
        "GET /check HTTP/1.1\r\nHost: x\r\nCookie: a=b; c; d=\"e;f\"\r\nCookie: g\r\n",
        "GET /check HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n",
    };
    served_start(&served);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct http_answer answer;
        char *token = next_token("");
        char *request = text_of("%sAuthorization: Bearer %s\r\n\r\n", heads[i], token);
        assert_true(http_ask(port(), request, &answer));
        if (answer.status != 200)
            fail_msg("%s: %u", heads[i], answer.status);
        http_answer_clear(&answer);
        free(request);
        free(token);
    }
}

static void bodies_that_http_allows(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n2\r\nyo\r\n0\r\n\r\n",
    };
    served_start(&served);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct http_answer answer;
        char *token = next_token("");
        char *request = text_of("POST /check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s",
                                token, bodies[i]);
        assert_true(http_ask(port(), request, &answer));
        assert_int_equal(answer.status, 200);
        http_answer_clear(&answer);
        free(request);
        free(token);
    }
}

/* The library of Debian 13 takes no extension of a chunk: then the token is as good as before. */
static void an_extension_of_a_chunk(void **state)
{
    (void)state;
    struct http_answer answer;
    served_start(&served);
    char *token = next_token("");
    char *request = text_of("POST /check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n",
                            token);
    bool admitted = http_ask(port(), request, &answer) && answer.status == 200;
    http_answer_clear(&answer);
    assert_true(is_unused(token) == !admitted);
    free(request);
    free(token);
}

/* Each head on a kept connection lies where the one before lay. */
static void requests_one_behind_the_other(void **state)
{
    (void)state;
    enum { REQUESTS = 5 };
    struct http_answer answer;
    char *all = text_of("%s", "");
    served_start(&served);
    for (int i = 0; i < REQUESTS; i++) {
        char *token = next_token("");
        char *more = text_of("%sGET /check?n=%d HTTP/1.1\r\nHost: x\r\nX-A: %0*d\r\n"
                             "Authorization: Bearer %s\r\n\r\n",
                             all, i, 1 + i * 100, i, token);
        free(token);
        free(all);
        all = more;
    }
    int fd = http_connect(port());
    assert_true(http_send(fd, all, strlen(all)));
    for (int i = 0; i < REQUESTS; i++) {
        assert_true(http_read(fd, &answer, false));
        assert_int_equal(answer.status, 200);
        http_answer_clear(&answer);
    }
    (void)close(fd);
    free(all);
}

int main(void)
{
#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST_OF(any_count_of_lines),
        TEST_OF(any_count_of_cookies),
        TEST_OF(any_count_of_arguments),
        TEST_OF(also_when_a_next_request_follows_at_once),
        TEST_OF(a_head_beyond_the_bound_is_told_so),
        TEST_OF(what_http_forbids),
        TEST_OF(a_nul_in_the_last_line),
        TEST_OF(a_trailer),
        TEST_OF(what_http_allows),
        TEST_OF(bodies_that_http_allows),
        TEST_OF(an_extension_of_a_chunk),
        TEST_OF(requests_one_behind_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
