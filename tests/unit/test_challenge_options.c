/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/challenges/challenge_options.h"

#include "support/asserts.h"

#include <string.h>

static void the_initialiser_and_the_function_agree(void **state)
{
    jtg_challenges_options by_macro = JTG_CHALLENGES_OPTIONS_INIT;
    jtg_challenges_options by_function;
    (void)state;
    jtg_challenges_options_init(&by_function);
    jtg_challenges_options_init(NULL);
    assert_int_equal(by_function.struct_size, by_macro.struct_size);
    assert_null(by_function.name);
    assert_null(by_function.secret);
    assert_null(by_function.clock);
    assert_int_equal(by_function.lifetime_ms, JTG_CHALLENGE_LIFETIME_MS_DEFAULT);
    assert_int_equal(by_macro.margin_ms, JTG_CHALLENGE_MARGIN_MS_DEFAULT);
    assert_int_equal(by_macro.range, JTG_CHALLENGE_RANGE_DEFAULT);
    assert_int_equal(by_function.range, by_macro.range);
}

static void none_are_the_defaults(void **state)
{
    jtg_challenges_options options;
    (void)state;
    assert_status(jtgi_challenges_options_read(&options, NULL, NULL), JTG_OK);
    assert_string_equal(options.name, "default");
    assert_int_equal(options.lifetime_ms, JTG_CHALLENGE_LIFETIME_MS_DEFAULT);
}

static void refuse(const jtg_challenges_options *given, const char *what)
{
    jtg_challenges_options options;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtgi_challenges_options_read(&options, given, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, what));
}

static void accept(const jtg_challenges_options *given)
{
    jtg_challenges_options options;
    assert_status(jtgi_challenges_options_read(&options, given, NULL), JTG_OK);
}

#define RANGE(member, least, most)                                                                 \
    do {                                                                                           \
        jtg_challenges_options options = JTG_CHALLENGES_OPTIONS_INIT;                              \
        options.member = (most) + 1;                                                               \
        refuse(&options, #member);                                                                 \
        options.member = (most);                                                                   \
        accept(&options);                                                                          \
        options.member = (least);                                                                  \
        accept(&options);                                                                          \
        if ((least) == 0)                                                                          \
            break;                                                                                 \
        options.member = (least)-1;                                                                \
        refuse(&options, #member);                                                                 \
    } while (0)

static void ranges_are_kept(void **state)
{
    (void)state;
    RANGE(lifetime_ms, 1U, JTG_CHALLENGE_LIFETIME_MS_LIMIT);
    RANGE(margin_ms, 0U, JTG_CHALLENGE_MARGIN_MS_LIMIT);
    RANGE(range, JTG_CHALLENGE_RANGE_LEAST, (uint32_t)JTG_BITMAP_MAX_BITS);
}

static void names_and_secrets_are_looked_at(void **state)
{
    static const unsigned char zero[JTG_CHALLENGE_SECRET_BYTES];
    static const unsigned char weak[JTG_CHALLENGE_SECRET_BYTES] = {[31] = 1};
    char name[JTG_CHALLENGE_NAME_MAX_BYTES + 2];
    jtg_challenges_options options = JTG_CHALLENGES_OPTIONS_INIT;
    (void)state;
    options.secret = zero;
    refuse(&options, "secret");
    options.secret = weak;
    accept(&options);
    options.name = "";
    refuse(&options, "name");
    options.name = "a\nb";
    refuse(&options, "name");
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    options.name = name;
    refuse(&options, "name");
    name[JTG_CHALLENGE_NAME_MAX_BYTES] = '\0';
    accept(&options);
    options.struct_size = sizeof options - 1;
    refuse(&options, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_initialiser_and_the_function_agree),
        cmocka_unit_test(none_are_the_defaults),
        cmocka_unit_test(ranges_are_kept),
        cmocka_unit_test(names_and_secrets_are_looked_at),
    };
    return cmocka_run_group_tests_name("options of challenges", tests, NULL, NULL);
}
