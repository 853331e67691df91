/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/dpop_client.h"

#include "support/asserts.h"

#include <stdlib.h>
#include <string.h>

/* RFC 7638 by hand: crv, kty, x, y. */
static void thumbprint_of(char hash[44], const struct signer *key)
{
    const char *xy = strstr(signer_members(key), "\"x\":");
    assert_non_null(xy);
    char *canonical = text_of("{\"crv\":\"P-256\",\"kty\":\"EC\",%s}", xy);
    hash_text(hash, canonical);
    free(canonical);
}

void dpop_client_init(struct dpop_client *client, const struct dpop_grant *grant)
{
    char jkt[44];
    *client = (struct dpop_client){.key = signer_new("ES256")};
    thumbprint_of(jkt, client->key);
    char *payload = text_of("{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"user-1\",\"iat\":%ld,"
                            "\"exp\":%ld,\"cnf\":{\"jkt\":\"%s\"}}",
                            grant->issuer, grant->audience, grant->issued_s,
                            grant->issued_s + grant->lifetime_s, jkt);
    client->token = signer_token(grant->signer, "at+jwt", grant->kid, payload);
    hash_text(client->ath, client->token);
    free(payload);
}

void dpop_client_clear(struct dpop_client *client)
{
    free(client->token);
    signer_free(client->key);
}

static char *make_proof(struct dpop_client *client, const struct dpop_use *use)
{
    char *nonce = use->nonce != NULL ? text_of(",\"nonce\":\"%s\"", use->nonce) : text_of("%s", "");
    char *header = text_of("{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{%s}}",
                           signer_members(client->key));
    char *payload =
        text_of("{\"jti\":\"proof-%u\",\"htm\":\"%s\",\"htu\":\"%s\",\"iat\":%ld,"
                "\"ath\":\"%s\"%s}",
                ++client->proofs, use->method, use->url, use->now_s, client->ath, nonce);
    char *proof = signer_sign(client->key, header, payload);
    free(payload);
    free(header);
    free(nonce);
    return proof;
}

char *dpop_client_headers(struct dpop_client *client, const struct dpop_use *use)
{
    char *proof = make_proof(client, use);
    char *headers = text_of("Authorization: DPoP %s\r\nDPoP: %s\r\n", client->token, proof);
    free(proof);
    return headers;
}
