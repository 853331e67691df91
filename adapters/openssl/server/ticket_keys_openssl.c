/* SPDX-License-Identifier: Apache-2.0 */
#include <jtiguard/ticket_keys_openssl.h>

#include "adapters/error.h"

#include <jtiguard/status.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

/* What the callback of SSL_CTX_set_tlsext_ticket_key_evp_cb() answers. */
enum answer { FAILURE = -1, NO_KEY = 0, GO_ON = 1, GO_ON_AND_RENEW = 2 };

static CRYPTO_ONCE index_once = CRYPTO_ONCE_STATIC_INIT;
static int keys_index = -1;

static void make_index(void)
{
    keys_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static bool start_ciphers(const jtg_ticket_cbc_key *key, const unsigned char *iv,
                          EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes_key, iv, encrypt) == 1 &&
           EVP_MAC_init(mac, key->hmac_key, sizeof key->hmac_key, parameters) == 1;
}

static enum answer seal_ticket(jtg_ticket_keys *keys, unsigned char *name, unsigned char *iv,
                               EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    jtg_ticket_cbc_key key;
    if (!jtg_ticket_cbc_seal_key(keys, &key, NULL, NULL))
        return NO_KEY;
    memcpy(name, key.name, sizeof key.name);
    bool good = RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
                start_ciphers(&key, iv, cipher, mac, 1);
    jtg_ticket_cbc_key_clear(&key);
    return good ? GO_ON : FAILURE;
}

/* A client of TLS 1.3 uses a ticket once: it needs a new one each time. */
static enum answer open_ticket(jtg_ticket_keys *keys, const SSL *ssl, const unsigned char *name,
                               const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    jtg_ticket_cbc_key key;
    uint32_t renew = 0;
    if (!jtg_ticket_cbc_open_key(keys, name, &key, &renew, NULL, NULL))
        return NO_KEY;
    bool good = start_ciphers(&key, iv, cipher, mac, 0);
    jtg_ticket_cbc_key_clear(&key);
    if (!good)
        return FAILURE;
    return renew || SSL_version(ssl) == TLS1_3_VERSION ? GO_ON_AND_RENEW : GO_ON;
}

/* OpenSSL calls what the first context of a connection has, and this sees the context that it was
 * moved to since: which may have no keys. */
static int ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, int encrypt)
{
    jtg_ticket_keys *keys = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keys_index);
    if (keys == NULL)
        return NO_KEY;
    return encrypt ? seal_ticket(keys, name, iv, cipher, mac)
                   : open_ticket(keys, ssl, name, iv, cipher, mac);
}

jtg_status jtg_ticket_keys_openssl_install(SSL_CTX *context, jtg_ticket_keys *keys, jtg_error *err)
{
    jtgi_adapter_error_begin(err);
    if (context == NULL || keys == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "context or keys is NULL");
    long lifetime_s = (long)jtg_ticket_keys_lifetime_s(keys);
    if (CRYPTO_THREAD_run_once(&index_once, make_index) != 1 || keys_index < 0 ||
        SSL_CTX_set_ex_data(context, keys_index, keys) != 1)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory to attach the keys");
    (void)SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key);
    if (SSL_CTX_get_timeout(context) > lifetime_s)
        (void)SSL_CTX_set_timeout(context, lifetime_s);
    return JTG_OK;
}
