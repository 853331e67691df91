/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/issuer_name.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

enum { MAX_TENANT_BYTES = 128, MAX_DOMAIN_BYTES = 255, MAX_SPIFFE_BYTES = 2048 };

#define SPIFFE "spiffe://"

/* ---- templates ---- */

/* Of what stands behind the host; NULL: there is no host, or nothing behind it. */
static const char *path_of(const char *name)
{
    const char *host = strstr(name, "://");
    return host != NULL ? strchr(host + 3, '/') : NULL;
}

static size_t part_len(const char *part)
{
    return strcspn(part, "/");
}

static bool is_slot(const char *part)
{
    size_t len = part_len(part);
    return len > 2 && part[0] == '{' && strspn(part + 1, LETTERS DIGITS "_-") == len - 2 &&
           part[len - 1] == '}';
}

/* A tenant's value holds nothing that could be a path of its own. */
static bool is_tenant(const char *part)
{
    size_t len = part_len(part);
    return len > 0 && len <= MAX_TENANT_BYTES && strspn(part, LETTERS DIGITS ".~_-") >= len &&
           part[0] != '.';
}

const char *issuer_template_fault(const char *name)
{
    unsigned slots = 0;
    size_t braces = 0;
    for (const char *at = name; *at != '\0'; at++)
        braces += *at == '{' || *at == '}';
    for (const char *at = path_of(name); at != NULL; at = strchr(at + 1, '/'))
        slots += is_slot(at + 1);
    return slots == 1 && braces == 2
               ? NULL
               : "with tenant wants one {NAME} as a part of its path, behind the host";
}

static bool is_told(const char *part, const char *const *tenants, size_t tenant_count)
{
    size_t len = part_len(part);
    for (size_t i = 0; i < tenant_count; i++)
        if (strcmp(tenants[i], "*") == 0 ||
            (strlen(tenants[i]) == len && memcmp(tenants[i], part, len) == 0))
            return true;
    return false;
}

bool issuer_template_fits(const char *name, const char *issuer, const char *const *tenants,
                          size_t tenant_count)
{
    const char *slot = strchr(name, '{');
    size_t start = slot != NULL ? (size_t)(slot - name) : 0;
    if (slot == NULL || strncmp(name, issuer, start) != 0)
        return false;
    const char *value = issuer + start;
    return is_tenant(value) && is_told(value, tenants, tenant_count) &&
           strcmp(value + part_len(value), slot + part_len(slot)) == 0;
}

/* Part by part; a slot meets every tenant's value, and another slot. */
bool issuer_names_meet(const char *one, bool one_is_template, const char *other,
                       bool other_is_template)
{
    for (;;) {
        size_t one_len = part_len(one);
        size_t other_len = part_len(other);
        bool one_is_slot = one_is_template && is_slot(one);
        bool other_is_slot = other_is_template && is_slot(other);
        bool meet = (one_len == other_len && memcmp(one, other, one_len) == 0) ||
                    (one_is_slot && (other_is_slot || is_tenant(other))) ||
                    (other_is_slot && is_tenant(one));
        if (!meet || (one[one_len] == '\0') != (other[other_len] == '\0'))
            return false;
        if (one[one_len] == '\0')
            return true;
        one += one_len + 1;
        other += other_len + 1;
    }
}

/* ---- trust domains ---- */

bool is_trust_domain(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= MAX_DOMAIN_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz" DIGITS "._-") == len;
}

static bool is_dots(const char *part, size_t len)
{
    return (len == 1 || len == 2) && strspn(part, ".") >= len;
}

/* Nothing that an application could take for another path: no empty part, no way up, no letter that
 * stands for another one. */
static bool is_workload_path(const char *path)
{
    while (*path == '/') {
        size_t len = part_len(path + 1);
        if (len == 0 || is_dots(path + 1, len) || strspn(path + 1, LETTERS DIGITS "._-") < len)
            return false;
        path += 1 + len;
    }
    return *path == '\0';
}

bool is_in_trust_domain(const char *subject, const char *domain)
{
    size_t len = strlen(domain);
    if (strlen(subject) > MAX_SPIFFE_BYTES || strncmp(subject, SPIFFE, sizeof SPIFFE - 1) != 0)
        return false;
    const char *name = subject + sizeof SPIFFE - 1;
    return strncmp(name, domain, len) == 0 && name[len] == '/' && is_workload_path(name + len);
}
