/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/ticket_key.h"

#include "core/alloc.h"

#include <sodium.h>
#include <string.h>

static jtg_status derive(struct jtgi_ticket_key *key, struct jtgi_span zone)
{
    jtg_status status = jtgi_cipher_derive(key->secret, "jtiguard ticket aead 1", zone, key->aead,
                                           sizeof key->aead);
    if (status == JTG_OK)
        status = jtgi_cipher_derive(key->secret, "jtiguard ticket cbc 1", zone, key->cbc,
                                    sizeof key->cbc);
    return status;
}

jtg_status jtgi_ticket_key_new(struct jtgi_ticket_key **key,
                               const unsigned char name[JTG_TICKET_NAME_BYTES],
                               const unsigned char secret[JTGI_SECRET_BYTES], struct jtgi_span zone)
{
    *key = NULL;
    if (sodium_is_zero(name, JTG_TICKET_NAME_BYTES) || jtgi_secret_is_weak(secret))
        return JTG_ERR_ARGUMENT;
    struct jtgi_ticket_key *made = jtgi_alloc_permitted() ? sodium_malloc(sizeof *made) : NULL;
    if (made == NULL)
        return JTG_ERR_MEMORY;
    atomic_init(&made->seals, 0);
    atomic_init(&made->holders, 1);
    memcpy(made->name, name, sizeof made->name);
    memcpy(made->secret, secret, sizeof made->secret);
    jtg_status status = derive(made, zone);
    if (status == JTG_OK)
        *key = made;
    else
        sodium_free(made);
    return status;
}

jtg_status jtgi_ticket_key_draw(struct jtgi_ticket_key **key, struct jtgi_span zone)
{
    unsigned char name[JTG_TICKET_NAME_BYTES];
    unsigned char secret[JTGI_SECRET_BYTES];
    randombytes_buf(name, sizeof name);
    randombytes_buf(secret, sizeof secret);
    jtg_status status = jtgi_ticket_key_new(key, name, secret, zone);
    sodium_memzero(secret, sizeof secret);
    return status == JTG_ERR_ARGUMENT ? JTG_ERR_SYSTEM : status; /* a generator that is broken */
}

struct jtgi_ticket_key *jtgi_ticket_key_hold(struct jtgi_ticket_key *key)
{
    (void)atomic_fetch_add_explicit(&key->holders, 1, memory_order_relaxed);
    return key;
}

void jtgi_ticket_key_drop(struct jtgi_ticket_key *key)
{
    if (key != NULL && atomic_fetch_sub_explicit(&key->holders, 1, memory_order_acq_rel) == 1)
        sodium_free(key);
}

bool jtgi_ticket_key_count_seal(struct jtgi_ticket_key *key, uint64_t most)
{
    uint64_t before = atomic_load_explicit(&key->seals, memory_order_relaxed);
    while (before < most)
        if (atomic_compare_exchange_weak_explicit(&key->seals, &before, before + 1,
                                                  memory_order_relaxed, memory_order_relaxed))
            return true;
    return false;
}
