/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery.h"

#include "issuer_json.h"

#include <stdio.h>
#include <string.h>

#define WELL_KNOWN "/.well-known/openid-configuration"

bool discovery_url(char url[DISCOVERY_URL_BYTES], const char *issuer)
{
    size_t issuer_len = strlen(issuer);
    if (issuer_len > 0 && issuer[issuer_len - 1] == '/')
        issuer_len--;
    if (issuer_len + sizeof WELL_KNOWN > DISCOVERY_URL_BYTES)
        return false;
    (void)snprintf(url, DISCOVERY_URL_BYTES, "%.*s" WELL_KNOWN, (int)issuer_len, issuer);
    return true;
}

static bool take_uri(char jwks_uri[DISCOVERY_URL_BYTES], const char *issuer, const json_t *root,
                     const char **why)
{
    const char *named = json_string_value(json_object_get(root, "issuer"));
    const char *uri = json_string_value(json_object_get(root, "jwks_uri"));
    *why = "the discovery document is of another issuer";
    if (named == NULL || strcmp(named, issuer) != 0)
        return false;
    *why = "the discovery document has no usable jwks_uri";
    if (uri == NULL || strlen(uri) >= DISCOVERY_URL_BYTES)
        return false;
    (void)snprintf(jwks_uri, DISCOVERY_URL_BYTES, "%s", uri);
    return true;
}

bool discovery_read(char jwks_uri[DISCOVERY_URL_BYTES], const char *issuer, const char *text,
                    size_t text_len, const char **why)
{
    json_t *root = issuer_json_read(text, text_len, why);
    if (root == NULL)
        return false;
    bool is_taken = take_uri(jwks_uri, issuer, root, why);
    json_decref(root);
    return is_taken;
}
