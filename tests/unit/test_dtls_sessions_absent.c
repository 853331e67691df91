/* SPDX-License-Identifier: Apache-2.0 */
/* What a build without OpenSSL answers: linked before the library, these functions take the place
 * of its own. Nothing is stored or handed out. */
#include "support/asserts.h"

#include <jtiguard/dtls_sessions.h>
#include <string.h>

#define SAYS_SO(call)                                                                              \
    do {                                                                                           \
        jtg_error err = JTG_ERROR_INIT;                                                            \
        assert_status(call, JTG_ERR_UNSUPPORTED);                                                  \
        assert_err_tells(&err, JTG_ERR_UNSUPPORTED);                                               \
        assert_non_null(strstr(err.text, "this build has none"));                                  \
    } while (0)

static void every_call_says_that_there_are_none(void **state)
{
    jtg_dtls_sessions *sessions = (jtg_dtls_sessions *)(void *)&sessions;
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    jtg_dtls_options options;
    jtg_dtls_fate fate = JTG_DTLS_STORED;
    uint32_t live = 7;
    (void)state;
    memset(&options, 0xff, sizeof options);
    jtg_dtls_options_init(&options);
    assert_int_equal(options.max_per_endpoint, JTG_DTLS_PER_ENDPOINT_DEFAULT);
    jtg_dtls_options_init(NULL);
    SAYS_SO(jtg_dtls_sessions_new(&sessions, NULL, &options, &err));
    assert_null(sessions);
    SAYS_SO(jtg_dtls_sessions_new(NULL, NULL, NULL, &err));
    SAYS_SO(jtg_dtls_sessions_store(NULL, &endpoint, &session, &fate, &err));
    assert_int_equal(fate, JTG_DTLS_NOT_STORED);
    SAYS_SO(jtg_dtls_sessions_store(NULL, &endpoint, &session, NULL, &err));
    SAYS_SO(jtg_dtls_sessions_get(NULL, &endpoint, &session, &err));
    SAYS_SO(jtg_dtls_sessions_take(NULL, &endpoint, &session, &err));
    assert_null(session.secret);
    SAYS_SO(jtg_dtls_sessions_remove(NULL, &endpoint, &err));
    SAYS_SO(jtg_dtls_sessions_prune(NULL, &endpoint, &live, &err));
    assert_int_equal(live, 0);
    assert_status(jtg_dtls_sessions_prune(NULL, NULL, NULL, NULL), JTG_ERR_UNSUPPORTED);
    jtg_dtls_session_clear(&session);
    jtg_dtls_sessions_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_says_that_there_are_none),
    };
    return cmocka_run_group_tests_name("no DTLS sessions", tests, NULL, NULL);
}
