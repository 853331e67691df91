/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/quic/quic_options.h"

#include "support/asserts.h"

#include <string.h>

static void the_initialiser_is_the_function(void **state)
{
    (void)state;
    static const jtg_quic_tokens_options expected = JTG_QUIC_TOKENS_OPTIONS_INIT;
    jtg_quic_tokens_options options;
    memset(&options, 0x55, sizeof options);
    jtg_quic_tokens_options_init(&options);
    assert_memory_equal(&options, &expected, sizeof options);
    assert_true(options.ttl_ms == UINT64_C(24) * 60 * 60 * 1000);
    assert_int_equal(options.max_per_origin, 4);
    assert_int_equal(options.max_origins, 256);
    assert_int_equal(JTG_QUIC_SWEEP_INTERVAL_MS_DEFAULT, 60000);
    jtg_quic_tokens_options_init(NULL);
}

static jtg_status status_of(const jtg_quic_tokens_options *options)
{
    jtg_quic_tokens_options read;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtgi_quic_options_read(&read, options, &err);
    assert_err_tells(&err, status);
    return status;
}

static void the_defaults_are_good(void **state)
{
    (void)state;
    jtg_quic_tokens_options options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    jtg_quic_tokens_options read;
    assert_status(status_of(&options), JTG_OK);
    assert_status(jtgi_quic_options_read(&read, NULL, NULL), JTG_OK);
    assert_string_equal(read.name, "default");
}

#define ASSERT_RANGE(member, least, most)                                                          \
    do {                                                                                           \
        jtg_quic_tokens_options options = JTG_QUIC_TOKENS_OPTIONS_INIT;                            \
        options.member = (least);                                                                  \
        assert_status(status_of(&options), JTG_OK);                                                \
        options.member--;                                                                          \
        assert_status(status_of(&options), JTG_ERR_ARGUMENT);                                      \
        options.member = (most);                                                                   \
        assert_status(status_of(&options), JTG_OK);                                                \
        options.member++;                                                                          \
        assert_status(status_of(&options), JTG_ERR_ARGUMENT);                                      \
    } while (0)

static void each_range_has_two_ends(void **state)
{
    (void)state;
    ASSERT_RANGE(ttl_ms, 1, JTG_TTL_MAX_MS);
    ASSERT_RANGE(remember_ms, 1, JTG_TTL_MAX_MS);
    ASSERT_RANGE(max_per_origin, 1, JTG_KEEP_MAX);
    ASSERT_RANGE(max_origins, 1, JTG_QUIC_ORIGINS_LIMIT);
    ASSERT_RANGE(max_token_bytes, 1, JTG_QUIC_TOKEN_BYTES_LIMIT);
}

static void a_name_is_printable(void **state)
{
    (void)state;
    char longest[JTG_QUIC_NAME_MAX_BYTES + 2];
    static const char *const bad[] = {"", "two words", "tab\t", "\x7f", "caf\xc3\xa9"};
    jtg_quic_tokens_options options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.name = bad[i];
        assert_status(status_of(&options), JTG_ERR_ARGUMENT);
    }
    memset(longest, 'n', sizeof longest);
    longest[JTG_QUIC_NAME_MAX_BYTES + 1] = '\0';
    options.name = longest;
    assert_status(status_of(&options), JTG_ERR_ARGUMENT);
    longest[JTG_QUIC_NAME_MAX_BYTES] = '\0';
    assert_status(status_of(&options), JTG_OK);
}

static void what_is_not_known_is_refused(void **state)
{
    (void)state;
    jtg_quic_tokens_options options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    options.reserved = 1;
    assert_status(status_of(&options), JTG_ERR_ARGUMENT);
    options.reserved = 0;
    options.struct_size = 0;
    assert_status(status_of(&options), JTG_ERR_ARGUMENT);
}

static jtg_status give(void *context, const jtg_endpoint *endpoint, uint32_t version,
                       jtg_quic_token *token, jtg_error *err)
{
    (void)context, (void)endpoint, (void)version, (void)token, (void)err;
    return JTG_NOT_FOUND;
}

static jtg_status keep(void *context, const jtg_endpoint *endpoint, uint32_t version,
                       const jtg_quic_token *token, uint64_t ttl_ms, jtg_error *err)
{
    (void)context, (void)endpoint, (void)version, (void)token, (void)ttl_ms, (void)err;
    return JTG_OK;
}

static jtg_status drop(void *context, const jtg_endpoint *endpoint, uint32_t version,
                       jtg_error *err)
{
    (void)context, (void)endpoint, (void)version, (void)err;
    return JTG_NOT_FOUND;
}

static void no_mandatory_function_may_be_missing(void **state)
{
    (void)state;
    const jtg_quic_functions whole = {
        .struct_size = sizeof whole, .store = keep, .lookup = give, .take = give, .remove = drop};
    jtg_quic_functions read;
    assert_status(jtgi_quic_functions_read(&read, &whole, NULL), JTG_OK);
    assert_status(jtgi_quic_functions_read(&read, NULL, NULL), JTG_ERR_ARGUMENT);
    for (int i = 0; i < 5; i++) {
        jtg_quic_functions part = whole;
        part.struct_size = i == 0 ? 0 : part.struct_size;
        part.store = i == 1 ? NULL : part.store;
        part.lookup = i == 2 ? NULL : part.lookup;
        part.take = i == 3 ? NULL : part.take;
        part.remove = i == 4 ? NULL : part.remove;
        assert_status(jtgi_quic_functions_read(&read, &part, NULL), JTG_ERR_ARGUMENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_initialiser_is_the_function),
        cmocka_unit_test(the_defaults_are_good),
        cmocka_unit_test(each_range_has_two_ends),
        cmocka_unit_test(a_name_is_printable),
        cmocka_unit_test(what_is_not_known_is_refused),
        cmocka_unit_test(no_mandatory_function_may_be_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
