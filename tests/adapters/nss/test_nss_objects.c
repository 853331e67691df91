/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of the NSS adapter without a connection: options, arguments, memory. */
#include "adapters/nss/experimental.h"
#include "adapters/nss/hello_layer.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <jtiguard/anti_replay_nss.h>
#include <jtiguard/dtls_sessions_nss.h>
#include <jtiguard/memory.h>
#include <nspr.h>
#include <nss.h>
#include <string.h>

enum { NTH_MAX = 100 };

/* The linker sends what the adapter asks malloc() and calloc() for through here. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);

static int memory_left = -1; /* how often there is some; below 0 always */

static bool is_out_of_memory(void)
{
    if (memory_left > 0)
        memory_left--;
    else if (memory_left == 0)
        return true;
    return false;
}

void *__wrap_malloc(size_t size)
{
    return is_out_of_memory() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_out_of_memory() ? NULL : __real_calloc(count, size);
}

static jtg_cache *cache;
static jtg_dtls_sessions *sessions;

static int start(void **state)
{
    (void)state;
    return NSS_NoDB_Init(NULL) == SECSuccess && jtg_memory_new(&cache, NULL, NULL) == JTG_OK &&
                   jtg_dtls_sessions_new(&sessions, cache, NULL, NULL) == JTG_OK
               ? 0
               : -1;
}

static int halt(void **state)
{
    (void)state;
    jtg_dtls_sessions_free(sessions);
    jtg_cache_free(cache);
    return NSS_Shutdown() == SECSuccess ? 0 : -1;
}

static jtg_endpoint endpoint(void)
{
    jtg_endpoint made = JTG_ENDPOINT_INIT;
    made.host = "gateway.example";
    made.port = 5684;
    made.alpn = "coap";
    made.alpn_len = 4;
    return made;
}

static void write_nothing(void *context, jtg_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

/* ---- the guard ---- */

static void options_out_of_range_are_refused(void **state)
{
    jtg_anti_replay_options options;
    jtg_anti_replay_nss *guard = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    jtg_anti_replay_nss_options_init(NULL);
    for (int i = 0; i < 5; i++) {
        jtg_anti_replay_nss_options_init(&options);
        options.mode = i == 0 ? JTG_ANTI_REPLAY_BINDER : options.mode;
        options.window_ms = i == 1 ? JTG_ANTI_REPLAY_NSS_WINDOW_MS_LIMIT + 1 : options.window_ms;
        options.window_ms = i == 2 ? 99 : options.window_ms;
        options.margin_ms = i == 3 ? 0 : options.margin_ms;
        options.struct_size = i == 4 ? 1 : options.struct_size;
        assert_status(jtg_anti_replay_nss_new(&guard, cache, &options, &err), JTG_ERR_ARGUMENT);
        assert_err_tells(&err, JTG_ERR_ARGUMENT);
        assert_null(guard);
    }
    assert_status(jtg_anti_replay_nss_new(NULL, cache, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_anti_replay_nss_new(&guard, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    jtg_anti_replay_nss_options_init(&options);
    options.window_ms = JTG_ANTI_REPLAY_NSS_WINDOW_MS_LIMIT;
    assert_status(jtg_anti_replay_nss_new(&guard, cache, &options, &err), JTG_OK);
    assert_int_equal(jtg_anti_replay_nss_counter(guard, JTG_FLIGHT_FIRST), 0);
    jtg_anti_replay_nss_free(guard);
    jtg_anti_replay_nss_free(NULL);
    assert_int_equal(jtg_anti_replay_nss_counter(NULL, JTG_FLIGHT_FIRST), 0);
}

/* A newer program's struct is longer: taken where it asks for nothing new. */
static void a_newer_struct_is_taken_if_it_asks_for_nothing_new(void **state)
{
    struct {
        jtg_anti_replay_options options;
        uint64_t more;
    } newer = {.more = 0};
    struct {
        jtg_endpoint endpoint;
        uint64_t more;
    } to = {endpoint(), 0};
    struct {
        jtg_logger logger;
        uint64_t more;
    } log = {{sizeof log, NULL, JTG_LOG_WARNING, write_nothing}, 0};
    (void)state;
    jtg_anti_replay_nss_options_init(&newer.options);
    newer.options.struct_size = sizeof newer;
    to.endpoint.struct_size = sizeof to;
    for (unsigned i = 0; i < 4; i++) {
        jtg_anti_replay_nss *guard = NULL;
        jtg_dtls_sessions_nss *kept = NULL;
        newer.more = i == 1;
        to.more = i == 2;
        log.more = i == 3;
        assert_status(jtg_anti_replay_nss_new(&guard, cache, &newer.options, NULL),
                      i == 1 ? JTG_ERR_ARGUMENT : JTG_OK);
        assert_status(jtg_dtls_sessions_nss_new(&kept, sessions, &to.endpoint, &log.logger, NULL),
                      i >= 2 ? JTG_ERR_ARGUMENT : JTG_OK);
        jtg_anti_replay_nss_free(guard);
        jtg_dtls_sessions_nss_free(kept);
    }
}

static void a_size_of_garbage_is_refused(void **state)
{
    static const size_t sizes[] = {0, 4097, SIZE_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        jtg_anti_replay_options options;
        jtg_anti_replay_nss *guard = NULL;
        jtg_dtls_sessions_nss *kept = NULL;
        jtg_endpoint to = endpoint();
        jtg_anti_replay_nss_options_init(&options);
        options.struct_size = sizes[i];
        to.struct_size = sizes[i];
        assert_status(jtg_anti_replay_nss_new(&guard, cache, &options, NULL), JTG_ERR_ARGUMENT);
        assert_status(jtg_dtls_sessions_nss_new(&kept, sessions, &to, NULL, NULL),
                      JTG_ERR_ARGUMENT);
    }
}

static void what_is_no_socket_of_nss_is_not_guarded(void **state)
{
    jtg_anti_replay_nss *guard = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtg_anti_replay_nss_new(&guard, cache, NULL, NULL), JTG_OK);
    PRFileDesc *plain = PR_NewUDPSocket();
    assert_status(jtg_anti_replay_nss_enable(guard, plain, &err), JTG_ERR_SYSTEM);
    assert_err_tells(&err, JTG_ERR_SYSTEM);
    assert_int_not_equal(err.system_errno, 0);
    assert_int_equal(PR_Close(plain), PR_SUCCESS);
    assert_status(jtg_anti_replay_nss_enable(guard, NULL, NULL), JTG_ERR_ARGUMENT);
    jtg_anti_replay_nss_free(guard);
}

static void a_connection_is_guarded_once(void **state)
{
    jtg_anti_replay_nss *guard = NULL;
    (void)state;
    assert_status(jtg_anti_replay_nss_new(&guard, cache, NULL, NULL), JTG_OK);
    PRFileDesc *fd = DTLS_ImportFD(NULL, PR_NewUDPSocket());
    assert_status(jtg_anti_replay_nss_enable(NULL, fd, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_anti_replay_nss_enable(guard, fd, NULL), JTG_OK);
    assert_status(jtg_anti_replay_nss_enable(guard, fd, NULL), JTG_ERR_SYSTEM);
    assert_int_equal(PR_Close(fd), PR_SUCCESS);
    jtg_anti_replay_nss_free(guard);
}

/* ---- the layer ---- */

/* What passes is kept until it is looked at; what is too much is told. */
static void the_layer_keeps_the_first_datagrams(void **state)
{
    PRFileDesc *ends[2];
    char got[32];
    (void)state;
    assert_int_equal(PR_NewTCPSocketPair(ends), PR_SUCCESS);
    PRFileDesc *fd = SSL_ImportFD(NULL, ends[0]);
    struct jtgi_hello_layer *layer = jtgi_hello_layer_push(fd, &cache);
    assert_non_null(layer);
    assert_null(jtgi_hello_layer_push(fd, &cache));
    assert_ptr_equal(layer->owner, &cache);
    assert_false(layer->datagram);
    assert_int_equal(PR_Write(ends[1], "hello world", 11), 11);
    PRFileDesc *below = fd->lower;
    assert_int_equal(below->methods->recv(below, got, 5, 0, PR_INTERVAL_NO_TIMEOUT), 5);
    assert_int_equal(below->methods->read(below, got, 6), 6);
    assert_int_equal(layer->len, 11);
    assert_memory_equal(layer->bytes, "hello world", 11);
    layer->datagram = true; /* of datagrams it knows where each ends */
    assert_int_equal(PR_Write(ends[1], "!?", 2), 2);
    assert_int_equal(below->methods->recv(below, got, 2, PR_MSG_PEEK, PR_INTERVAL_NO_TIMEOUT), 2);
    assert_int_equal(layer->datagram_count, 0);
    assert_int_equal(below->methods->recv(below, got, 2, 0, PR_INTERVAL_NO_TIMEOUT), 2);
    for (unsigned i = 1; i < JTGI_HELLO_PIECES_MAX; i++) {
        assert_int_equal(PR_Write(ends[1], "!", 1), 1);
        assert_int_equal(below->methods->recv(below, got, 1, 0, PR_INTERVAL_NO_TIMEOUT), 1);
    }
    assert_false(layer->overrun);
    assert_int_equal(layer->datagram_count, JTGI_HELLO_PIECES_MAX);
    assert_int_equal(layer->datagrams[0], 2);
    assert_int_equal(layer->datagrams[JTGI_HELLO_PIECES_MAX - 1], 1);
    assert_int_equal(layer->len, 12 + JTGI_HELLO_PIECES_MAX);
    assert_int_equal(PR_Write(ends[1], "!", 1), 1);
    assert_int_equal(below->methods->recv(below, got, 1, 0, PR_INTERVAL_NO_TIMEOUT), 1);
    assert_true(layer->overrun);
    assert_int_equal(layer->len, 12 + JTGI_HELLO_PIECES_MAX);
    jtgi_hello_layer_done(layer);
    assert_null(layer->bytes);
    assert_int_equal(PR_Write(ends[1], "?", 1), 1);
    assert_int_equal(below->methods->recv(below, got, 1, 0, PR_INTERVAL_NO_TIMEOUT), 1);
    assert_int_equal(PR_Close(fd), PR_SUCCESS);
    assert_int_equal(PR_Close(ends[1]), PR_SUCCESS);
}

/* ---- sessions ---- */

static void an_endpoint_that_is_none_is_refused(void **state)
{
    char host[300];
    jtg_dtls_sessions_nss *kept = NULL;
    jtg_error err = JTG_ERROR_INIT;
    jtg_logger logger = {0, NULL, JTG_LOG_WARNING, NULL};
    (void)state;
    memset(host, 'a', sizeof host);
    host[sizeof host - 1] = '\0';
    for (int i = 0; i < 7; i++) {
        jtg_endpoint to = endpoint();
        to.struct_size = i == 0 ? 1 : to.struct_size;
        to.host = i == 1 ? NULL : i == 2 ? host : to.host;
        to.alpn_len = i == 3 ? JTG_ENDPOINT_ALPN_MAX_BYTES + 1 : to.alpn_len;
        to.alpn = i == 4 ? NULL : to.alpn;
        to.parameters_len = i == 5 ? JTG_ENDPOINT_PARAMETERS_MAX_BYTES + 1 : 0;
        assert_status(
            jtg_dtls_sessions_nss_new(&kept, sessions, &to, i == 6 ? &logger : NULL, &err),
            JTG_ERR_ARGUMENT);
        assert_err_tells(&err, JTG_ERR_ARGUMENT);
        assert_null(kept);
    }
    jtg_endpoint to = endpoint();
    assert_status(jtg_dtls_sessions_nss_new(NULL, sessions, &to, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_dtls_sessions_nss_new(&kept, NULL, &to, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_dtls_sessions_nss_new(&kept, sessions, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    jtg_dtls_sessions_nss_free(NULL);
    assert_int_equal(jtg_dtls_sessions_nss_counter(NULL, JTG_DTLS_STORED), 0);
}

/* What is stored there and NSS does not know is used up, and the handshake is a full one. */
static void a_session_that_nss_does_not_know_is_dropped(void **state)
{
    jtg_dtls_sessions_nss *kept = NULL;
    jtg_endpoint to = endpoint();
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    bool resuming = true;
    (void)state;
    assert_status(jtg_dtls_sessions_nss_new(&kept, sessions, &to, NULL, NULL), JTG_OK);
    session.ticket = session.secret = "none of NSS's";
    session.ticket_len = session.secret_len = 13;
    session.lifetime_s = 60;
    assert_status(jtg_dtls_sessions_store(sessions, &to, &session, NULL, NULL), JTG_OK);
    PRFileDesc *fd = DTLS_ImportFD(NULL, PR_NewUDPSocket());
    assert_status(jtg_dtls_sessions_nss_attach(kept, fd, &resuming, NULL), JTG_OK);
    assert_false(resuming);
    assert_status(jtg_dtls_sessions_get(sessions, &to, &session, NULL), JTG_NOT_FOUND);
    assert_status(jtg_dtls_sessions_nss_attach(kept, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_dtls_sessions_nss_attach(NULL, fd, &resuming, NULL), JTG_ERR_ARGUMENT);
    assert_int_equal(PR_Close(fd), PR_SUCCESS);
    fd = PR_NewUDPSocket();
    assert_status(jtg_dtls_sessions_nss_attach(kept, fd, NULL, NULL), JTG_ERR_SYSTEM);
    assert_int_equal(PR_Close(fd), PR_SUCCESS);
    assert_int_equal(jtg_dtls_sessions_nss_counter(kept, (jtg_dtls_fate)99), 0);
    jtg_dtls_sessions_nss_free(kept);
}

static void a_shared_key_is_given_once(void **state)
{
    static const unsigned char key[JTG_DTLS_SESSIONS_NSS_KEY_BYTES] = "a key";
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtg_dtls_sessions_nss_share(NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_dtls_sessions_nss_share(key, &err), JTG_OK);
    assert_status(jtg_dtls_sessions_nss_share(key, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
}

/* ---- without memory ---- */

static void without_memory_no_guard_is_made(void **state)
{
    jtg_anti_replay_nss *guard = NULL;
    (void)state;
    for (unsigned nth = 1; guard == NULL; nth++) {
        assert_true(nth < NTH_MAX);
        alloc_walk_fail_nth(nth);
        jtg_status status = jtg_anti_replay_nss_new(&guard, cache, NULL, NULL);
        bool failed = alloc_walk_end();
        assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
        assert_int_equal(guard == NULL, failed);
    }
    jtg_anti_replay_nss_free(guard);
    guard = NULL;
    memory_left = 0;
    jtg_status status = jtg_anti_replay_nss_new(&guard, cache, NULL, NULL);
    memory_left = -1;
    assert_status(status, JTG_ERR_MEMORY);
    assert_null(guard);
}

/* The socket is as it was, and can be guarded once there is memory. */
static void without_memory_a_connection_is_not_guarded(void **state)
{
    jtg_anti_replay_nss *guard = NULL;
    (void)state;
    assert_status(jtg_anti_replay_nss_new(&guard, cache, NULL, NULL), JTG_OK);
    PRFileDesc *fd = DTLS_ImportFD(NULL, PR_NewUDPSocket());
    for (int enough = 0; enough < 2; enough++) {
        memory_left = enough;
        jtg_status status = jtg_anti_replay_nss_enable(guard, fd, NULL);
        memory_left = -1;
        assert_status(status, JTG_ERR_MEMORY);
    }
    assert_status(jtg_anti_replay_nss_enable(guard, fd, NULL), JTG_OK);
    assert_int_equal(PR_Close(fd), PR_SUCCESS);
    jtg_anti_replay_nss_free(guard);
}

static void without_memory_no_sessions_are_kept(void **state)
{
    jtg_dtls_sessions_nss *kept = NULL;
    jtg_endpoint to = endpoint();
    (void)state;
    memory_left = 0;
    jtg_status status = jtg_dtls_sessions_nss_new(&kept, sessions, &to, NULL, NULL);
    memory_left = -1;
    assert_status(status, JTG_ERR_MEMORY);
    assert_null(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(what_is_no_socket_of_nss_is_not_guarded),
        cmocka_unit_test(a_newer_struct_is_taken_if_it_asks_for_nothing_new),
        cmocka_unit_test(a_size_of_garbage_is_refused),
        cmocka_unit_test(a_connection_is_guarded_once),
        cmocka_unit_test(the_layer_keeps_the_first_datagrams),
        cmocka_unit_test(an_endpoint_that_is_none_is_refused),
        cmocka_unit_test(a_session_that_nss_does_not_know_is_dropped),
        cmocka_unit_test(a_shared_key_is_given_once),
        cmocka_unit_test(without_memory_no_guard_is_made),
        cmocka_unit_test(without_memory_a_connection_is_not_guarded),
        cmocka_unit_test(without_memory_no_sessions_are_kept),
    };
    return cmocka_run_group_tests_name("objects of the NSS adapter", tests, start, halt);
}
