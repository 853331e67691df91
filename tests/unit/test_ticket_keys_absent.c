/* SPDX-License-Identifier: Apache-2.0 */
/* What a build without OpenSSL answers: linked before the library, these functions take the place
 * of its own. Nothing is sealed, opened or handed out. */
#include "support/asserts.h"

#include <jtiguard/ticket_keys.h>
#include <string.h>

static void the_options_have_their_defaults(void **state)
{
    static const jtg_ticket_options expected = JTG_TICKET_OPTIONS_INIT;
    jtg_ticket_options options;
    (void)state;
    memset(&options, 0xff, sizeof options);
    jtg_ticket_options_init(&options);
    assert_int_equal(options.struct_size, expected.struct_size);
    assert_int_equal(options.rotation_ms, expected.rotation_ms);
    assert_null(options.kek_file);
    jtg_ticket_options_init(NULL);
}

static void assert_says_so(jtg_status status, const jtg_error *err)
{
    assert_status(status, JTG_ERR_UNSUPPORTED);
    assert_err_tells(err, JTG_ERR_UNSUPPORTED);
    assert_non_null(strstr(err->text, "this build has none"));
}

#define SAYS_SO(call)                                                                              \
    do {                                                                                           \
        jtg_error err = JTG_ERROR_INIT;                                                            \
        jtg_status said = (call);                                                                  \
        assert_says_so(said, &err);                                                                \
    } while (0)

static void there_are_no_keys(void **state)
{
    jtg_ticket_keys *keys = (jtg_ticket_keys *)(void *)&keys;
    jtg_ticket_options options = JTG_TICKET_OPTIONS_INIT;
    jtg_ticket_keys_state now = {.struct_size = sizeof now};
    (void)state;
    SAYS_SO(jtg_ticket_keys_new(&keys, NULL, &options, &err));
    assert_null(keys);
    SAYS_SO(jtg_ticket_keys_new(NULL, NULL, NULL, &err));
    SAYS_SO(jtg_ticket_keys_refresh(NULL, &err));
    SAYS_SO(jtg_ticket_keys_load(NULL, &err));
    SAYS_SO(jtg_ticket_keys_rotate(NULL, &err));
    SAYS_SO(jtg_ticket_keys_revoke(NULL, &err));
    SAYS_SO(jtg_ticket_keys_state_get(NULL, &now, &err));
    assert_int_equal(jtg_ticket_keys_lifetime_s(NULL), 0);
    SAYS_SO(jtg_ticket_keys_export_nginx(NULL, "/tmp", &err));
    SAYS_SO(jtg_ticket_keys_export_haproxy(NULL, "/tmp/keys", &err));
    assert_status(jtg_ticket_keys_refresh(NULL, NULL), JTG_ERR_UNSUPPORTED);
    assert_int_equal(jtg_ticket_keys_counter(NULL, JTG_TICKET_DONE), 0);
    jtg_ticket_keys_free(NULL);
}

#define REFUSES(call)                                                                              \
    do {                                                                                           \
        jtg_error err = JTG_ERROR_INIT;                                                            \
        jtg_ticket_reason reason = JTG_TICKET_DONE;                                                \
        assert_false(call);                                                                        \
        assert_says_so(err.status, &err);                                                          \
        assert_string_equal(jtg_ticket_reason_name(reason), "internal");                           \
    } while (0)

static void nothing_is_sealed_or_opened(void **state)
{
    static const unsigned char ticket[200] = {1};
    static const unsigned char name[JTG_TICKET_NAME_BYTES] = {1};
    unsigned char room[300];
    size_t len = sizeof room;
    uint32_t renew = 0;
    jtg_ticket_session session = JTG_TICKET_SESSION_INIT;
    jtg_ticket_cbc_key key;
    (void)state;
    REFUSES(jtg_ticket_seal(NULL, &session, room, &len, &reason, &err));
    assert_int_equal(len, 0);
    REFUSES(jtg_ticket_open(NULL, ticket, sizeof ticket, &session, &reason, &err));
    assert_null(session.psk);
    len = sizeof room;
    REFUSES(jtg_ticket_seal_bytes(NULL, "data", 4, 60, room, &len, &reason, &err));
    assert_int_equal(len, 0);
    len = sizeof room;
    REFUSES(jtg_ticket_open_bytes(NULL, ticket, sizeof ticket, room, &len, &renew, &reason, &err));
    assert_int_equal(len, 0);
    REFUSES(jtg_ticket_cbc_seal_key(NULL, &key, &reason, &err));
    REFUSES(jtg_ticket_cbc_open_key(NULL, name, &key, &renew, &reason, &err));
    assert_false(jtg_ticket_cbc_seal_key(NULL, &key, NULL, NULL));
    assert_false(jtg_ticket_seal_bytes(NULL, NULL, 0, 0, NULL, NULL, NULL, NULL));
    jtg_ticket_cbc_key_clear(&key);
    jtg_ticket_session_clear(&session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_options_have_their_defaults),
        cmocka_unit_test(there_are_no_keys),
        cmocka_unit_test(nothing_is_sealed_or_opened),
    };
    return cmocka_run_group_tests_name("no ticket keys", tests, NULL, NULL);
}
