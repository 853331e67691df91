/* SPDX-License-Identifier: Apache-2.0 */
/** @file endpoint.h
 * The server that a client's sessions, tickets and tokens are good for.
 */
#ifndef JTIGUARD_ENDPOINT_H
#define JTIGUARD_ENDPOINT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JTG_ENDPOINT_HOST_MAX_BYTES = 253,
    JTG_ENDPOINT_ALPN_MAX_BYTES = 255,
    JTG_ENDPOINT_PARAMETERS_MAX_BYTES = 1024
};

/** Whom a client talks to, and how. Start from JTG_ENDPOINT_INIT. All pointers borrowed.
 *
 * Two endpoints are the same when all parts are, after this: the host in lower case, one dot at its
 * end dropped; an address in its shortest form, without brackets, an IPv4 address in IPv6 clothes
 * (::ffff:192.0.2.1) as IPv4. */
typedef struct jtg_endpoint {
    size_t struct_size; /**< sizeof(jtg_endpoint). */
    const char *host;   /**< Name (A-labels) or numeric address; IPv6 with or without brackets. */
    uint32_t port;      /**< 1 … 65535. */
    uint32_t reserved;  /**< 0. */
    const void *alpn;   /**< The protocol that was agreed, or is offered; NULL, 0 = none. */
    size_t alpn_len;    /**< 0 … 255. */
    /** Whatever else must be the same for a session to be resumed: how the peer is verified, with
     * which authorities, the client's certificate. Compared byte for byte. 0 … 1024 bytes. */
    const void *parameters;
    size_t parameters_len;
} jtg_endpoint;

#define JTG_ENDPOINT_INIT                                                                          \
    {                                                                                              \
        sizeof(jtg_endpoint), NULL, 0, 0, NULL, 0, NULL, 0                                         \
    }

#ifdef __cplusplus
}
#endif
#endif
