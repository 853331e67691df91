/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/nss/nss_peers.h"
#include "adapters/nss/nss_socket.h"
#include "support/asserts.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 5000 };

void nss_path_open(struct nss_path *path)
{
    path->client_side = nss_socket_bind(&path->port, false);
    path->server_side = -1;
    assert_true(path->client_side >= 0);
}

void nss_path_take(struct nss_path *path, struct path_pieces *flight)
{
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof peer;
    for (flight->count = 0; flight->count < PATH_PIECES; flight->count++) {
        ssize_t len = recvfrom(path->client_side, flight->bytes[flight->count], PATH_PIECE_BYTES,
                               MSG_DONTWAIT, (struct sockaddr *)&peer, &peer_len);
        if (len < 0)
            break;
        flight->len[flight->count] = (size_t)len;
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
