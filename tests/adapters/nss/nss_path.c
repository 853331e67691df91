/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/nss/nss_peers.h"
#include "adapters/nss/nss_socket.h"
#include "support/asserts.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 5000 };

void nss_path_open(struct nss_path *path)
{
    path->client_side = nss_socket_bind(&path->port, false);
    path->server_side = -1;
    assert_true(path->client_side >= 0);
}

/* A client that does not get its turn for a second sends its hello again: the same fragment of the
 * same message, by the 12 bytes of its header (RFC 6347, section 4.2.2), in another record. */
static bool is_sent_again(const struct path_pieces *flight, const unsigned char *piece)
{
    enum { HANDSHAKE = 22, RECORD_HEADER = 13, MESSAGE_HEADER = 12 };
    for (unsigned i = 0; i < flight->count; i++)
        if (piece[0] == HANDSHAKE && flight->bytes[i][0] == HANDSHAKE &&
            memcmp(flight->bytes[i] + RECORD_HEADER, piece + RECORD_HEADER, MESSAGE_HEADER) == 0)
            return true;
    return false;
}

void nss_path_take(struct nss_path *path, struct path_pieces *flight)
{
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof peer;
    flight->count = 0;
    while (flight->count < PATH_PIECES) {
        unsigned char *piece = flight->bytes[flight->count];
        ssize_t len = recvfrom(path->client_side, piece, PATH_PIECE_BYTES, MSG_DONTWAIT,
                               (struct sockaddr *)&peer, &peer_len);
        if (len < 0)
            break;
        flight->len[flight->count] = (size_t)len;
        if (!is_sent_again(flight, piece))
            flight->count++;
    }
    assert_true(flight->count > 0 && flight->count < PATH_PIECES);
    assert_int_equal(connect(path->client_side, (struct sockaddr *)&peer, peer_len), 0);
}

void nss_path_deliver(struct nss_path *path, const struct path_pieces *flight, uint16_t port)
{
    if (path->server_side >= 0)
        (void)close(path->server_side);
    path->server_side = nss_socket_open(port, false);
    assert_true(path->server_side >= 0);
    for (unsigned i = 0; i < flight->count; i++)
        assert_int_equal(send(path->server_side, flight->bytes[i], flight->len[i], 0),
                         flight->len[i]);
}

bool nss_path_answered(struct nss_path *path)
{
    unsigned char bytes[PATH_PIECE_BYTES];
    struct pollfd end = {.fd = path->server_side, .events = POLLIN};
    return poll(&end, 1, WAIT_MS) == 1 && recv(path->server_side, bytes, sizeof bytes, 0) > 0;
}

static void carry(int from, int to, unsigned copies)
{
    unsigned char bytes[PATH_PIECE_BYTES];
    ssize_t len = recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
    for (unsigned i = 0; len > 0 && i < copies; i++)
        (void)send(to, bytes, (size_t)len, MSG_NOSIGNAL);
}

struct nss_result nss_path_carry(struct nss_path *path, struct nss_client *client, unsigned copies)
{
    struct pollfd ends[3] = {{.fd = path->client_side, .events = POLLIN},
                             {.fd = path->server_side, .events = POLLIN},
                             {.fd = client->control, .events = POLLIN}};
    while (poll(ends, 3, WAIT_MS) > 0 && ends[2].revents == 0) {
        carry(path->client_side, path->server_side, 1);
        carry(path->server_side, path->client_side, copies);
    }
    return nss_client_end(client);
}

void nss_path_close(struct nss_path *path)
{
    (void)close(path->client_side);
    if (path->server_side >= 0)
        (void)close(path->server_side);
}
