/* SPDX-License-Identifier: Apache-2.0 */
/* A server's certificate that an intermediate authority has signed, which a root has signed: the
 * client knows the root, the server shows the two others. Failures assert. */
#ifndef TESTS_ADAPTERS_OPENSSL_CERTIFICATE_CHAIN_H
#define TESTS_ADAPTERS_OPENSSL_CERTIFICATE_CHAIN_H

struct certificate_chain {
    char root_path[64];
    char shown_path[64]; /* the server's, then the intermediate's */
    char key_path[64];
};

void certificate_chain_make(struct certificate_chain *chain);
void certificate_chain_clear(struct certificate_chain *chain);

#endif
