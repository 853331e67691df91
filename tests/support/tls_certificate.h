/* SPDX-License-Identifier: Apache-2.0 */
/* A key and its certificate for a TLS server of a test: signed by itself, for an hour. Failures
 * assert, so use it in the test's own thread. */
#ifndef TESTS_SUPPORT_TLS_CERTIFICATE_H
#define TESTS_SUPPORT_TLS_CERTIFICATE_H

struct tls_certificate {
    char *key_pem;
    char *certificate_pem;
    char key_path[64]; /* files with the same text; the certificate's is also its authority */
    char certificate_path[64];
};

/* For localhost and 127.0.0.1. rsa: an RSA key, else one on P-256. */
void tls_certificate_make(struct tls_certificate *made, int rsa);

/* For other names, e.g. "DNS:localhost". */
void tls_certificate_make_for(struct tls_certificate *made, int rsa, const char *names);
void tls_certificate_clear(struct tls_certificate *made);

#endif
