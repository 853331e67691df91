/* SPDX-License-Identifier: Apache-2.0 */
/* The checks that every call passes through, and functions of the caller's own. What tokens on a
 * cache do is in test_quic_cache.c. */
#include "support/asserts.h"
#include "support/quic_contract.h"

#include <jtiguard/backend.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOST "server.example"

/* ---- a caller's store: one token ---- */

struct shelf {
    char host[300];
    uint32_t version;
    char bytes[16];
    size_t len;
    uint64_t ttl_ms;
    uint64_t rtt_us;
    jtg_status answer; /* of every function, unless it is JTG_OK */
    bool gives_nothing;
    unsigned calls;
};

static jtg_status shelf_store(void *context, const jtg_endpoint *endpoint, uint32_t version,
                              const jtg_quic_token *token, uint64_t ttl_ms, jtg_error *err)
{
    struct shelf *shelf = context;
    (void)err;
    shelf->calls++;
    if (shelf->answer != JTG_OK)
        return shelf->answer;
    if (shelf->len == token->data_len && memcmp(shelf->bytes, token->data, shelf->len) == 0)
        return JTG_REPLAYED;
    snprintf(shelf->host, sizeof shelf->host, "%s", endpoint->host);
    shelf->version = version;
    shelf->len = token->data_len;
    memcpy(shelf->bytes, token->data, shelf->len);
    shelf->rtt_us = token->rtt_us;
    shelf->ttl_ms = ttl_ms;
    return JTG_OK;
}

static jtg_status shelf_lookup(void *context, const jtg_endpoint *endpoint, uint32_t version,
                               jtg_quic_token *token, jtg_error *err)
{
    struct shelf *shelf = context;
    shelf->calls++;
    if (shelf->answer != JTG_OK)
        return jtg_error_set(err, shelf->answer, 0, "the shelf fell down");
    if (shelf->gives_nothing)
        return JTG_OK;
    if (shelf->len == 0 || version != shelf->version || strcmp(endpoint->host, shelf->host) != 0)
        return JTG_NOT_FOUND;
    return jtg_quic_token_set(token, shelf->bytes, shelf->len, shelf->rtt_us);
}

static jtg_status shelf_take(void *context, const jtg_endpoint *endpoint, uint32_t version,
                             jtg_quic_token *token, jtg_error *err)
{
    struct shelf *shelf = context;
    jtg_status status = shelf_lookup(context, endpoint, version, token, err);
    if (status == JTG_OK)
        shelf->len = 0;
    return status;
}

static jtg_status shelf_remove(void *context, const jtg_endpoint *endpoint, uint32_t version,
                               jtg_error *err)
{
    struct shelf *shelf = context;
    (void)endpoint, (void)version, (void)err;
    shelf->calls++;
    bool was_there = shelf->len != 0;
    shelf->len = 0;
    return was_there ? JTG_OK : JTG_NOT_FOUND;
}

static jtg_status shelf_clear(void *context, jtg_error *err)
{
    struct shelf *shelf = context;
    (void)err;
    shelf->len = 0;
    return JTG_OK;
}

static jtg_status shelf_size(void *context, uint64_t *origins, jtg_error *err)
{
    struct shelf *shelf = context;
    (void)err;
    *origins = shelf->len != 0;
    return shelf->answer;
}

static struct shelf shelf;

static jtg_quic_functions shelf_functions(void)
{
    jtg_quic_functions functions = {.struct_size = sizeof functions,
                                    .context = &shelf,
                                    .store = shelf_store,
                                    .lookup = shelf_lookup,
                                    .take = shelf_take,
                                    .remove = shelf_remove};
    memset(&shelf, 0, sizeof shelf);
    return functions;
}

static jtg_quic_tokens *open_shelf(const jtg_quic_functions *functions)
{
    jtg_quic_tokens *tokens = NULL;
    assert_status(jtg_quic_tokens_new_custom(&tokens, functions, NULL, NULL), JTG_OK);
    return tokens;
}

static void functions_of_the_caller_are_used(void **state)
{
    (void)state;
    jtg_quic_functions functions = shelf_functions();
    jtg_quic_tokens *tokens = open_shelf(&functions);
    jtg_endpoint endpoint = quic_endpoint("SERVER.example.");
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_quic_load load = JTG_QUIC_LOAD_FAILED;
    assert_string_equal(quic_take(tokens, HOST), "");
    assert_int_equal(quic_store(tokens, "Server.Example", "one", 0), JTG_QUIC_STORED);
    assert_string_equal(shelf.host, HOST);
    assert_true(shelf.ttl_ms == JTG_QUIC_TTL_MS_DEFAULT);
    assert_int_equal(quic_store(tokens, HOST, "one", 0), JTG_QUIC_DUPLICATE);
    assert_int_equal(quic_store(tokens, HOST, "two", 7), JTG_QUIC_STORED);
    assert_int_equal(shelf.ttl_ms, 7);
    assert_string_equal(quic_lookup(tokens, HOST), "two");
    assert_status(jtg_quic_tokens_maybe_load(tokens, &endpoint, QUIC_V1, &token, &load, NULL),
                  JTG_OK);
    assert_int_equal(load, JTG_QUIC_LOAD_LOADED);
    assert_memory_equal(token.data, "two", 3);
    jtg_quic_token_clear(&token);
    assert_status(jtg_quic_tokens_remove(tokens, &endpoint, QUIC_V1, NULL), JTG_NOT_FOUND);
    jtg_quic_tokens_free(tokens);
}

static void what_they_do_not_offer_is_told(void **state)
{
    (void)state;
    jtg_quic_functions functions = shelf_functions();
    jtg_quic_tokens *tokens = open_shelf(&functions);
    uint64_t origins = 9;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_quic_tokens_clear(tokens, &err), JTG_ERR_UNSUPPORTED);
    assert_err_tells(&err, JTG_ERR_UNSUPPORTED);
    assert_status(jtg_quic_tokens_size(tokens, &origins, NULL), JTG_ERR_UNSUPPORTED);
    assert_status(jtg_quic_tokens_prune(tokens, &origins, NULL), JTG_ERR_UNSUPPORTED);
    assert_int_equal(origins, 9);
    jtg_quic_tokens_free(tokens);
    functions.clear = shelf_clear;
    functions.size = shelf_size;
    functions.prune = shelf_size;
    tokens = open_shelf(&functions);
    assert_int_equal(quic_store(tokens, HOST, "one", 0), JTG_QUIC_STORED);
    assert_int_equal(quic_size(tokens), 1);
    assert_status(jtg_quic_tokens_clear(tokens, NULL), JTG_OK);
    assert_status(jtg_quic_tokens_prune(tokens, &origins, NULL), JTG_OK);
    assert_int_equal(origins, 0);
    shelf.answer = JTG_ERR_UNAVAILABLE;
    origins = 9;
    assert_status(jtg_quic_tokens_size(tokens, &origins, NULL), JTG_ERR_UNAVAILABLE);
    assert_int_equal(origins, 9);
    jtg_quic_tokens_free(tokens);
}

static void bad_answers_of_theirs_hand_nothing_out(void **state)
{
    (void)state;
    jtg_quic_functions functions = shelf_functions();
    jtg_quic_tokens *tokens = open_shelf(&functions);
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_quic_load load = JTG_QUIC_LOAD_LOADED;
    jtg_error err = JTG_ERROR_INIT;
    shelf.answer = (jtg_status)12345;
    assert_status(jtg_quic_tokens_take(tokens, &endpoint, QUIC_V1, &token, &err), JTG_ERR_PROTOCOL);
    assert_int_equal(err.status, JTG_ERR_PROTOCOL);
    shelf.answer = JTG_OK;
    shelf.gives_nothing = true;
    assert_status(jtg_quic_tokens_take(tokens, &endpoint, QUIC_V1, &token, NULL), JTG_ERR_PROTOCOL);
    shelf.answer = JTG_ERR_UNAVAILABLE;
    assert_status(jtg_quic_tokens_maybe_load(tokens, &endpoint, QUIC_V1, &token, &load, &err),
                  JTG_ERR_UNAVAILABLE);
    assert_string_equal(err.text, "the shelf fell down");
    assert_int_equal(load, JTG_QUIC_LOAD_FAILED);
    assert_null(token.data);
    jtg_quic_tokens_free(tokens);
}

/* ---- arguments ---- */

static void bad_arguments_reach_no_store(void **state)
{
    (void)state;
    jtg_quic_functions functions = shelf_functions();
    jtg_quic_tokens *tokens = open_shelf(&functions);
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_endpoint nowhere = quic_endpoint("");
    jtg_endpoint no_port = quic_endpoint(HOST);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    no_port.port = 0;
    const jtg_endpoint *const bad[] = {NULL, &nowhere, &no_port};
    for (size_t i = 0; i < 4; i++) {
        const jtg_endpoint *at = i < 3 ? bad[i] : &endpoint;
        uint32_t version = i < 3 ? QUIC_V1 : 0;
        assert_status(jtg_quic_tokens_lookup(tokens, at, version, &token, NULL), JTG_ERR_ARGUMENT);
        assert_status(jtg_quic_tokens_take(tokens, at, version, &token, NULL), JTG_ERR_ARGUMENT);
        assert_status(jtg_quic_tokens_maybe_load(tokens, at, version, &token, NULL, NULL),
                      JTG_ERR_ARGUMENT);
        assert_status(jtg_quic_tokens_remove(tokens, at, version, NULL), JTG_ERR_ARGUMENT);
    }
    assert_status(jtg_quic_tokens_store(tokens, &endpoint, QUIC_V1, NULL, NULL, NULL),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_tokens_take(tokens, &endpoint, QUIC_V1, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_tokens_maybe_load(tokens, &endpoint, QUIC_V1, NULL, NULL, NULL),
                  JTG_ERR_ARGUMENT);
    token.struct_size = 0;
    assert_status(jtg_quic_tokens_lookup(tokens, &endpoint, QUIC_V1, &token, NULL),
                  JTG_ERR_ARGUMENT);
    assert_int_equal(shelf.calls, 0);
    jtg_quic_tokens_free(tokens);
}

static void without_an_object_all_calls_say_so(void **state)
{
    (void)state;
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    uint64_t origins = 0;
    jtg_quic_tokens *tokens = NULL;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_quic_tokens_store(NULL, &endpoint, QUIC_V1, &token, NULL, &err),
                  JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_tokens_lookup(NULL, &endpoint, QUIC_V1, &token, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_tokens_take(NULL, &endpoint, QUIC_V1, &token, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_tokens_remove(NULL, &endpoint, QUIC_V1, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_tokens_clear(NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_tokens_size(NULL, &origins, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_tokens_prune(NULL, &origins, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_tokens_new(&tokens, NULL, NULL, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_tokens_new_custom(&tokens, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_tokens_new_custom(NULL, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_null(tokens);
    jtg_quic_tokens_free(NULL);
}

static void a_size_needs_a_place(void **state)
{
    (void)state;
    jtg_quic_functions functions = shelf_functions();
    functions.size = shelf_size;
    jtg_quic_tokens *tokens = open_shelf(&functions);
    assert_status(jtg_quic_tokens_size(tokens, NULL, NULL), JTG_ERR_ARGUMENT);
    jtg_quic_tokens_free(tokens);
}

static void a_child_refuses(void **state)
{
    (void)state;
    jtg_quic_functions functions = shelf_functions();
    jtg_quic_tokens *tokens = open_shelf(&functions);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        jtg_endpoint endpoint = quic_endpoint(HOST);
        jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
        jtg_status first = jtg_quic_tokens_take(tokens, &endpoint, QUIC_V1, &token, NULL);
        jtg_status second = jtg_quic_tokens_clear(tokens, NULL);
        _exit(first == JTG_ERR_FORKED && second == JTG_ERR_FORKED ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    jtg_quic_tokens_free(tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_the_caller_are_used),
        cmocka_unit_test(what_they_do_not_offer_is_told),
        cmocka_unit_test(bad_answers_of_theirs_hand_nothing_out),
        cmocka_unit_test(bad_arguments_reach_no_store),
        cmocka_unit_test(without_an_object_all_calls_say_so),
        cmocka_unit_test(a_size_needs_a_place),
        cmocka_unit_test(a_child_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
