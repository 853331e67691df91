/* SPDX-License-Identifier: Apache-2.0 */
/* What a stranger sends to an NSS server first. The first byte says of the rest whether it is a
 * datagram, and in how many it came. Nothing may be read outside of it, and a ticket that is found
 * lies in it. Linked with libFuzzer, or with fuzz_main.c where there is none. */
#include "adapters/nss/client_hello.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len)
{
    struct jtgi_client_hello hello;
    if (data_len == 0)
        return 0;
    size_t len = data_len - 1;
    uint8_t *bytes = malloc(len != 0 ? len : 1); /* its end is where the sanitizer looks */
    if (bytes == NULL)
        return 0;
    memcpy(bytes, data + 1, len);
    size_t count = data[0] / 2 % JTGI_HELLO_PIECES_MAX + 1;
    size_t lens[JTGI_HELLO_PIECES_MAX];
    for (size_t i = 0; i < count; i++)
        lens[i] = len * (i + 1) / count - len * i / count;
    if (data[0] % 2 != 0 && count > 1) {
        size_t joined = jtgi_client_hello_join(bytes, lens, (unsigned)count);
        if (joined > len)
            abort();
        len = joined;
    }
    if (jtgi_client_hello_read(&hello, bytes, len, data[0] % 2 != 0) && hello.ticket != NULL &&
        (hello.ticket_len == 0 || hello.ticket <= bytes ||
         hello.ticket + hello.ticket_len > bytes + len))
        abort();
    free(bytes);
    return 0;
}
