/* SPDX-License-Identifier: Apache-2.0 */
/* Names of issuers. Mostly a name is itself and nothing else. The template of a provider with many
 * tenants has one part of the path between braces, https://login.example/{tenant}/v2.0, which
 * stands for one tenant's value; nothing else of it varies, least of all the host. */
#ifndef SERVE_ISSUER_NAME_H
#define SERVE_ISSUER_NAME_H

#include "serve/verify/verify_settings.h"

/* What is wrong with a template; NULL: nothing. */
const char *issuer_template_fault(const char *name);

/* Whether the issuer is one of the template's, and its tenant one of those that are told; "*"
 * stands for any. */
bool issuer_template_fits(const char *name, const char *issuer, const char *const *tenants,
                          size_t tenant_count);

/* Whether one issuer could be of both names. is_template: that the name is one. */
bool issuer_names_meet(const char *one, bool one_is_template, const char *other,
                       bool other_is_template);

/* The name of a trust domain (SPIFFE-ID section 2.1), without its scheme. */
bool is_trust_domain(const char *text);

/* Whether a subject is a workload of that domain: spiffe://DOMAIN/PATH, of a path that can be one
 * (SPIFFE-ID sections 2.2 and 2.3). */
bool is_in_trust_domain(const char *subject, const char *domain);

#endif
