/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/connection.h"

#include "core/alloc.h"
#include "redis/line/deadline.h"

#include <errno.h>
#include <jtiguard/status.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

/* hiredis reserves room for as many elements as the server names before any has come. Ours
 * refuses numbers that no question of ours could have as its answer. */
#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

static redisReplyObjectFunctions functions;
static void *(*create_array)(const redisReadTask *, element_count);
static void *(*create_nil)(const redisReadTask *);
static pthread_mutex_t learning = PTHREAD_MUTEX_INITIALIZER;

/* A reply whose elements are taken while it comes. */
struct taking {
    struct jtgi_connection *connection;
    const struct jtgi_taker *taker;
    size_t taken;
};

static void take_until(struct taking *taking, const redisReply *whole, size_t end)
{
    for (; taking->taken < end; taking->taken++) {
        redisReply **element = &whole->element[taking->taken];
        taking->taker->take(taking->taker->context, *element);
        freeReplyObject(*element);
        *element = NULL;
    }
    taking->connection->unparsed = 0;
}

/* An array begins that is an element of the whole: those before it are complete. */
static void take_before(const redisReadTask *task)
{
    if (task->privdata != NULL && task->parent != NULL && task->parent->parent == NULL)
        take_until(task->privdata, task->parent->obj, (size_t)task->idx);
}

static void *create_bounded_array(const redisReadTask *task, element_count elements)
{
    take_before(task);
    return elements > JTGI_REPLY_ELEMENTS_MAX ? NULL : create_array(task, elements);
}

/* hiredis 1.x also takes RESP3's null for a nil. We never ask for RESP3, so whoever sends it is not
 * answering us. */
static void *create_resp2_nil(const redisReadTask *task)
{
    return task->type == REDIS_REPLY_NIL ? NULL : create_nil(task);
}

/* hiredis tells its own functions only by a reader, and having one can fail: the first that there
 * is teaches them, so that having been out of memory once is not for ever. */
static void learn_functions(const redisReader *reader)
{
    pthread_mutex_lock(&learning);
    if (create_array == NULL) {
        functions = *reader->fn;
        create_array = functions.createArray;
        functions.createArray = create_bounded_array;
        create_nil = functions.createNil;
        functions.createNil = create_resp2_nil;
    }
    pthread_mutex_unlock(&learning);
}

static redisReader *reader_new(void)
{
    redisReader *reader = jtgi_alloc_permitted() ? redisReaderCreate() : NULL;
    if (reader == NULL)
        return NULL;
    learn_functions(reader);
    reader->fn = &functions;
    return reader;
}

jtg_status jtgi_connection_new(struct jtgi_connection **connection,
                               const struct jtgi_transport *transport, jtg_error *err)
{
    struct jtgi_connection *made = jtgi_alloc(sizeof *made);
    redisReader *reader = made == NULL ? NULL : reader_new();
    if (reader == NULL) {
        jtgi_free(made);
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a connection");
    }
    made->transport = *transport;
    made->reader = reader;
    atomic_init(&made->broken, NULL);
    atomic_init(&made->ended, false);
    made->use.refs = 1;
    made->peer.epoch = JTGI_NO_EPOCH;
    jtgi_residence_init(&made->residence, transport->waiter);
    randombytes_buf(&made->use.next_seal, sizeof made->use.next_seal);
    *connection = made;
    return JTG_OK;
}

void jtgi_connection_free(struct jtgi_connection *connection)
{
    if (connection == NULL)
        return;
    jtgi_residence_clear(&connection->residence);
    jtgi_transport_close(&connection->transport);
    redisReaderFree(connection->reader);
    jtgi_free_wiped(connection, sizeof *connection);
}

void jtgi_connection_break(struct jtgi_connection *connection, const char *why)
{
    const char *whole = NULL;
    if (atomic_compare_exchange_strong(&connection->broken, &whole, why))
        jtgi_transport_break(&connection->transport);
}

/* By errno: of the rest some are this machine's, and the connection may stand. */
static bool is_ended_by_server(enum jtgi_io io, int cause)
{
    return io == JTGI_IO_CLOSED ||
           (io == JTGI_IO_FAILED && (cause == ECONNRESET || cause == EPIPE));
}

/* To a thread that waits in it, one that another breaks looks as if the server had closed it: but
 * then `broken` is set before, and says why. */
static struct jtgi_fault fault_of(struct jtgi_connection *connection, enum jtgi_io io)
{
    struct jtgi_fault fault = {io, 0, "the server did not answer in time", false};
    if (io == JTGI_IO_CLOSED)
        fault.text = "the server closed the connection";
    if (io == JTGI_IO_FAILED) {
        fault.cause = errno;
        fault.text = "the connection was lost";
    }
    const char *broken = atomic_load(&connection->broken);
    if (broken != NULL) {
        fault.text = broken;
        fault.cause = 0;
    } else if (is_ended_by_server(io, fault.cause)) {
        atomic_store(&connection->ended, true);
    }
    fault.ended = atomic_load(&connection->ended);
    return fault;
}

static redisReply *protocol_fault(struct jtgi_connection *connection, struct jtgi_fault *fault,
                                  const char *text)
{
    fault->io = JTGI_IO_FAILED;
    fault->cause = EPROTO;
    fault->text = text;
    fault->ended = false;
    jtgi_connection_break(connection, text);
    return NULL;
}

/* A reply that is already whole, or NULL without a fault. */
static redisReply *next_parsed(struct jtgi_connection *connection, struct jtgi_fault *fault)
{
    void *parsed = NULL;
    if (redisReaderGetReply(connection->reader, &parsed) != REDIS_OK)
        return protocol_fault(connection, fault, "the server's answer was not understood");
    redisReply *reply = parsed;
    if (reply != NULL)
        connection->unparsed = 0;
    if (reply == NULL || jtgi_reply_type_known(reply))
        return reply;
    freeReplyObject(reply);
    return protocol_fault(connection, fault, "the server sent what was not asked for");
}

static bool receive_more(struct jtgi_connection *connection, int64_t deadline_ns,
                         struct jtgi_fault *fault)
{
    size_t received = 0;
    enum jtgi_io io = jtgi_transport_receive(&connection->transport, connection->buffer,
                                             sizeof connection->buffer, &received, deadline_ns);
    if (io != JTGI_IO_DONE) {
        *fault = fault_of(connection, io);
        if (io != JTGI_IO_TIMEOUT && io != JTGI_IO_LATER)
            jtgi_connection_break(connection, fault->text);
        return false;
    }
    connection->unparsed += received;
    if (connection->unparsed > JTGI_REPLY_BYTES_MAX ||
        redisReaderFeed(connection->reader, connection->buffer, received) != REDIS_OK) {
        (void)protocol_fault(connection, fault, "the server's answer is too large");
        return false;
    }
    return true;
}

redisReply *jtgi_connection_receive(struct jtgi_connection *connection, int64_t deadline_ns,
                                    struct jtgi_fault *fault)
{
    fault->io = JTGI_IO_DONE;
    fault->ended = false;
    for (;;) {
        redisReply *reply = next_parsed(connection, fault);
        if (reply != NULL || fault->io != JTGI_IO_DONE)
            return reply;
        if (!receive_more(connection, deadline_ns, fault))
            return NULL;
    }
}

redisReply *jtgi_connection_receive_each(struct jtgi_connection *connection,
                                         const struct jtgi_taker *taker, int64_t deadline_ns,
                                         struct jtgi_fault *fault)
{
    struct taking taking = {connection, taker, 0};
    connection->reader->privdata = &taking;
    redisReply *reply = jtgi_connection_receive(connection, deadline_ns, fault);
    connection->reader->privdata = NULL;
    if (reply == NULL)
        /* What has come of it would be read without a taker. */
        jtgi_connection_break(connection, fault->text);
    else if (reply->type == REDIS_REPLY_ARRAY)
        take_until(&taking, reply, reply->elements);
    return reply;
}

bool jtgi_connection_send(struct jtgi_connection *connection, const void *data, size_t len,
                          size_t *sent, int64_t deadline_ns, struct jtgi_fault *fault)
{
    size_t more = 0;
    enum jtgi_io io =
        jtgi_transport_send(&connection->transport, (const unsigned char *)data + *sent,
                            len - *sent, &more, deadline_ns);
    *sent += more;
    if (io == JTGI_IO_DONE)
        return true;
    *fault = fault_of(connection, io);
    if (io != JTGI_IO_LATER)
        jtgi_connection_break(connection, fault->text);
    return false;
}

bool jtgi_connection_is_empty(const struct jtgi_connection *connection)
{
    return connection->reader->pos == connection->reader->len;
}
