/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/discovery.h"

#include "serve/verify/issuer_json.h"

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

static bool is_but_for_a_slash(const char *one, const char *other)
{
    size_t len = strlen(one);
    size_t other_len = strlen(other);
    return (len == other_len + 1 && one[other_len] == '/' && strncmp(one, other, other_len) == 0) ||
           (other_len == len + 1 && other[len] == '/' && strncmp(one, other, len) == 0);
}

static bool is_of(const char *issuer, const json_t *root, char why[DISCOVERY_WHY_BYTES])
{
    const char *named = json_string_value(json_object_get(root, "issuer"));
    if (named != NULL && strcmp(named, issuer) == 0)
        return true;
    if (named == NULL)
        (void)snprintf(why, DISCOVERY_WHY_BYTES, "it names no issuer");
    else
        (void)snprintf(why, DISCOVERY_WHY_BYTES, "it is of the issuer %.80s, and not of %.80s%s",
                       named, issuer,
                       is_but_for_a_slash(named, issuer) ? ": mind the slash at the end" : "");
    return false;
}

static bool take_uri(char jwks_uri[DISCOVERY_URL_BYTES], const char *issuer, const json_t *root,
                     char why[DISCOVERY_WHY_BYTES])
{
    const char *uri = json_string_value(json_object_get(root, "jwks_uri"));
    if (!is_of(issuer, root, why))
        return false;
    (void)snprintf(why, DISCOVERY_WHY_BYTES, "it has no usable jwks_uri");
    if (uri == NULL || strlen(uri) >= DISCOVERY_URL_BYTES)
        return false;
    (void)snprintf(jwks_uri, DISCOVERY_URL_BYTES, "%s", uri);
    return true;
}

bool discovery_read(char jwks_uri[DISCOVERY_URL_BYTES], const char *issuer, const char *text,
                    size_t text_len, char why[DISCOVERY_WHY_BYTES])
{
    const char *fault = NULL;
    json_t *root = issuer_json_read(text, text_len, &fault);
    if (root == NULL) {
        (void)snprintf(why, DISCOVERY_WHY_BYTES, "%s", fault);
        return false;
    }
    bool is_taken = take_uri(jwks_uri, issuer, root, why);
    json_decref(root);
    return is_taken;
}
