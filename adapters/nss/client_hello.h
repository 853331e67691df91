/* SPDX-License-Identifier: Apache-2.0 */
/* The first bytes that a client sends, as NSS gets them.
 *
 * What is read here must be what NSS goes by, else an attacker shows us one ticket and NSS another.
 * So nothing is skipped or repaired: it is one record with one whole ClientHello, and what follows
 * in a datagram can only be encrypted; or it is none. Over UDP a large one comes in several
 * datagrams, and is put together only where there is one way to do it: each has one fragment, they
 * come in order and cover the message without a gap and without an overlap, and nothing else came.
 * Then NSS, which was given these datagrams and no other, has the same bytes: had it passed one
 * over, its message would not be whole. */
#ifndef JTGI_ADAPTERS_CLIENT_HELLO_H
#define JTGI_ADAPTERS_CLIENT_HELLO_H

#include <stdbool.h>
#include <stddef.h>

enum { JTGI_HELLO_PIECES_MAX = 4 };

/* Make the datagrams that lie one behind the other in bytes into one, as if the ClientHello had
 * come whole; returns its length. 0: they are no fragments of one, or not so. One is left as it is.
 */
size_t jtgi_client_hello_join(unsigned char *bytes, const size_t *lens, unsigned count);

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
