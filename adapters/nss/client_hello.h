/* SPDX-License-Identifier: Apache-2.0 */
/* The first bytes that a client sends, as NSS gets them.
 *
 * What is read here must be what NSS goes by, else an attacker shows us one ticket and NSS another.
 * So nothing is skipped, repaired or put together: it is one record with one whole ClientHello, and
 * what follows in a datagram can only be encrypted; or it is none. */
#ifndef JTGI_ADAPTERS_CLIENT_HELLO_H
#define JTGI_ADAPTERS_CLIENT_HELLO_H

#include <stdbool.h>
#include <stddef.h>

struct jtgi_client_hello {
    bool early_data;             /* it wants to send some */
    bool hides_another;          /* it may hold an encrypted one, of which nothing is seen here */
    const unsigned char *ticket; /* borrowed from the bytes; NULL unless there is just one */
    size_t ticket_len;
};

/* bytes: of TLS the first record; of DTLS the first datagram. False if it is no such ClientHello.
 */
bool jtgi_client_hello_read(struct jtgi_client_hello *hello, const unsigned char *bytes, size_t len,
                            bool datagram);

#endif
