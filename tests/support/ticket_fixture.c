/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ticket_fixture.h"

#include "support/asserts.h"

#include <fcntl.h>
#include <jtiguard/memory.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char psk[] = "a resumption secret of a session";
static const char app[] = "h3";

void ticket_fixture_key_file(char path[64], const void *content, size_t len, unsigned mode)
{
    (void)snprintf(path, 64, "/tmp/jtiguard-key.XXXXXX");
    int descriptor = mkostemp(path, O_CLOEXEC);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, content, len), (ssize_t)len);
    assert_int_equal(fchmod(descriptor, mode), 0);
    close(descriptor);
}

static void make_store(struct ticket_fixture *fixture)
{
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    options.sweep_interval_ms = 0;
    options.clock = &fixture->clock_option;
    assert_status(jtg_memory_new(&fixture->memory, &options, NULL), JTG_OK);
    fixture->store = gated_cache_new(fixture->memory, false);
}

int ticket_fixture_set_up(void **state)
{
    static struct ticket_fixture fixture;
    unsigned char kek[32];
    memset(&fixture, 0, sizeof fixture);
    test_clock_init(&fixture.clock);
    fixture.clock_option = test_clock_as_jtg(&fixture.clock);
    make_store(&fixture);
    randombytes_buf(kek, sizeof kek);
    ticket_fixture_key_file(fixture.kek_file, kek, sizeof kek, 0600);
    jtg_ticket_options_init(&fixture.options);
    fixture.options.kek_file = fixture.kek_file;
    fixture.options.clock = &fixture.clock_option;
    *state = &fixture;
    return 0;
}

int ticket_fixture_tear_down(void **state)
{
    struct ticket_fixture *fixture = *state;
    for (unsigned n = 0; n < TICKET_INSTANCES; n++)
        ticket_fixture_close(fixture, n);
    jtg_cache_free(&fixture->store->base);
    jtg_cache_free(fixture->memory);
    unlink(fixture->kek_file);
    return 0;
}

jtg_ticket_keys *ticket_fixture_open(struct ticket_fixture *fixture, unsigned n)
{
    jtg_ticket_keys *keys = NULL;
    assert_status(jtg_ticket_keys_new(&keys, &fixture->store->base, &fixture->options, NULL),
                  JTG_OK);
    assert_null(fixture->instances[n]);
    fixture->instances[n] = keys;
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
    return keys;
}

jtg_ticket_keys *ticket_fixture_ready(struct ticket_fixture *fixture, unsigned n)
{
    jtg_ticket_keys *keys = ticket_fixture_open(fixture, n);
    test_clock_advance(&fixture->clock, TICKET_LEAD_MS);
    return keys;
}

void ticket_fixture_close(struct ticket_fixture *fixture, unsigned n)
{
    jtg_ticket_keys_free(fixture->instances[n]);
    fixture->instances[n] = NULL;
}

bool ticket_fixture_seal(struct ticket_fixture *fixture, jtg_ticket_keys *keys, uint32_t lifetime_s)
{
    jtg_ticket_session session = JTG_TICKET_SESSION_INIT;
    session.psk = psk;
    session.psk_len = sizeof psk;
    session.nonce = "\0\1";
    session.nonce_len = 2;
    session.app = app;
    session.app_len = sizeof app;
    session.lifetime_s = lifetime_s;
    session.age_add = 0x81020304;
    session.max_early_data = 16384;
    session.cipher_suite = 0x1302;
    fixture->ticket_len = sizeof fixture->ticket;
    return jtg_ticket_seal(keys, &session, fixture->ticket, &fixture->ticket_len, &fixture->reason,
                           NULL);
}

static void compare(const jtg_ticket_session *session)
{
    assert_int_equal(session->psk_len, sizeof psk);
    assert_memory_equal(session->psk, psk, sizeof psk);
    assert_int_equal(session->nonce_len, 2);
    assert_memory_equal(session->nonce, "\0\1", 2);
    assert_int_equal(session->app_len, sizeof app);
    assert_memory_equal(session->app, app, sizeof app);
    assert_int_equal(session->age_add, 0x81020304);
    assert_int_equal(session->max_early_data, 16384);
    assert_int_equal(session->cipher_suite, 0x1302);
}

bool ticket_fixture_opens(struct ticket_fixture *fixture, jtg_ticket_keys *keys)
{
    jtg_ticket_session session = JTG_TICKET_SESSION_INIT;
    bool opened = jtg_ticket_open(keys, fixture->ticket, fixture->ticket_len, &session,
                                  &fixture->reason, NULL);
    if (opened)
        compare(&session);
    else
        assert_null(session.storage);
    jtg_ticket_session_clear(&session);
    return opened;
}

void ticket_fixture_state(jtg_ticket_keys *keys, jtg_ticket_keys_state *state)
{
    state->struct_size = sizeof *state;
    assert_status(jtg_ticket_keys_state_get(keys, state, NULL), JTG_OK);
}

unsigned ticket_fixture_sealing(const jtg_ticket_keys_state *state)
{
    unsigned i = 0;
    while (i < state->key_count && state->keys[i].is_sealing == 0)
        i++;
    return i;
}
