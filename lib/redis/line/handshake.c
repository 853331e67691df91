/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/handshake.h"

#include "core/clock.h"
#include "redis/say/resp/command.h"
#include "redis/say/server/info.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

enum step { STEP_AUTH, STEP_SELECT, STEP_NAME, STEP_INFO, STEP_WAITAOF, STEP_PING, STEP_COUNT };

static const char *const step_names[STEP_COUNT] = {"AUTH", "SELECT",  "CLIENT SETNAME",
                                                   "INFO", "WAITAOF", "PING"};

/* As the seals ask (batch.h), and shorter: a server that does not answer it answers nothing that
 * counts, and is told from one that answers wrongly. */
static const char ping_word[] = "jtiguard";

static bool is_wanted(const struct jtgi_redis_config *config, enum step step)
{
    const jtg_redis_options *options = &config->options;
    switch (step) {
    case STEP_AUTH:
        return options->password != NULL || options->password_file != NULL;
    case STEP_SELECT:
        return options->database != 0;
    case STEP_NAME:
        return options->client_name != NULL;
    case STEP_WAITAOF:
        return options->fsync != 0;
    default:
        return true;
    }
}

void jtgi_handshake_login(struct jtgi_command *command, const char *user, const char *password)
{
    jtgi_command_begin(command, user != NULL ? 3 : 2);
    jtgi_command_text(command, "AUTH");
    if (user != NULL)
        jtgi_command_text(command, user);
    jtgi_command_text(command, password);
}

static void build(struct jtgi_command *command, const struct jtgi_redis_config *config,
                  const char *password)
{
    const jtg_redis_options *options = &config->options;
    if (password != NULL)
        jtgi_handshake_login(command, options->user, password);
    if (is_wanted(config, STEP_SELECT)) {
        jtgi_command_begin(command, 2);
        jtgi_command_text(command, "SELECT");
        jtgi_command_number(command, options->database);
    }
    if (is_wanted(config, STEP_NAME)) {
        jtgi_command_begin(command, 3);
        jtgi_command_text(command, "CLIENT");
        jtgi_command_text(command, "SETNAME");
        jtgi_command_text(command, options->client_name);
    }
    jtgi_command_begin(command, 1);
    jtgi_command_text(command, "INFO");
    if (is_wanted(config, STEP_WAITAOF)) { /* for nobody: is it known? */
        jtgi_command_begin(command, 4);
        jtgi_command_text(command, "WAITAOF");
        jtgi_command_text(command, "0");
        jtgi_command_text(command, "0");
        jtgi_command_text(command, "0");
    }
    jtgi_command_begin(command, 2);
    jtgi_command_text(command, "PING");
    jtgi_command_text(command, ping_word);
}

static bool is_expected(const redisReply *reply, enum step step)
{
    if (step == STEP_INFO)
        return reply->type == REDIS_REPLY_STRING;
    if (step == STEP_WAITAOF)
        return reply->type == REDIS_REPLY_ARRAY || reply->type == REDIS_REPLY_ERROR;
    if (step == STEP_PING)
        return jtgi_reply_is_bytes(reply, ping_word, strlen(ping_word)) ||
               reply->type == REDIS_REPLY_ERROR;
    return jtgi_reply_is_ok(reply);
}

/* A Redis Cluster knows no SELECT, and Valkey's no number that it has not: told in words only. */
static const char *text_of(const struct jtgi_error_row *row, enum step step,
                           const struct jtgi_redis_config *config)
{
    bool lacks = step == STEP_SELECT && config->slots > 1 &&
                 (row->class == JTGI_CLASS_UNKNOWN || row->class == JTGI_CLASS_SETUP);
    return lacks ? "the Cluster has no such database: a Redis Cluster has only 0, Valkey 9 as many "
                   "as cluster-databases says"
                 : row->text;
}

/* That WAITAOF is not known is a fact for the gate; that it is forbidden is a refusal. PING is
 * asked whether it is there at all: what else a server says to it, INFO has said to the gate. */
static bool is_refusal(const struct jtgi_error_row *row, enum step step)
{
    bool absent = row->class == JTGI_CLASS_UNKNOWN || row->class == JTGI_CLASS_COMMAND;
    if (step == STEP_WAITAOF)
        return !absent;
    return step != STEP_PING || absent || row->class == JTGI_CLASS_ACCESS;
}

static jtg_status judge(const redisReply *reply, enum step step,
                        const struct jtgi_redis_config *config, jtg_error *err)
{
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    if (row != NULL && step == STEP_SELECT)
        return jtg_error_set(err, row->status, 0, "redis: SELECT %u was refused: %s",
                             config->options.database, text_of(row, step, config));
    if (row != NULL && is_refusal(row, step))
        return jtg_error_set(err, row->status, 0, "redis: %s was refused: %s", step_names[step],
                             text_of(row, step, config));
    if (!is_expected(reply, step))
        return jtg_error_set(err, JTG_ERR_PROTOCOL, 0, "redis: %s was answered with something else",
                             step_names[step]);
    return JTG_OK;
}

/* A proxy that does not know a command may close in place of an answer (twemproxy), and so does one
 * that has no server. */
static jtg_status receive(struct jtgi_connection *connection, enum step step, int64_t deadline_ns,
                          redisReply **reply, jtg_error *err)
{
    struct jtgi_fault fault;
    *reply = jtgi_connection_receive(connection, deadline_ns, &fault);
    if (*reply != NULL)
        return JTG_OK;
    if (fault.io == JTGI_IO_LATER)
        return JTGI_LATER;
    if (fault.io == JTGI_IO_CLOSED)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "redis: cannot log in: the connection was closed in place of an "
                             "answer to %s: by a proxy that does not know it, or has no server?",
                             step_names[step]);
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, fault.cause, "redis: cannot log in: %s",
                         fault.text);
}

/* asked: before the question was sent, so that the server's clock seems rather too far ahead. */
static void read_info(struct jtgi_connection *connection, const redisReply *reply,
                      struct jtgi_moment asked, jtg_redis_server *server)
{
    jtgi_info_read(server, reply->str, reply->len, asked.wall_ms);
    connection->peer.clock_known = server->clock_offset_known != 0;
    connection->peer.clock_ms =
        connection->peer.clock_known ? (uint64_t)(server->clock_offset_ms + asked.wall_ms) : 0;
    connection->peer.clock_ahead_ms = server->clock_offset_ms + asked.wall_ms - asked.monotonic_ms;
}

static jtg_status hear(struct jtgi_handshake *handshake, redisReply *reply,
                       jtg_redis_server *server, jtg_error *err)
{
    struct jtgi_dialer *dialer = handshake->dialer;
    enum step step = handshake->step;
    jtg_status status = judge(reply, step, dialer->config, err);
    if (status == JTG_ERR_REFUSED && step == STEP_AUTH)
        jtgi_password_explain(&dialer->password, err);
    if (status == JTG_OK && step == STEP_INFO)
        read_info(handshake->connection, reply, handshake->asked, server);
    if (status == JTG_OK && step == STEP_WAITAOF)
        server->waitaof = reply->type == REDIS_REPLY_ARRAY;
    freeReplyObject(reply);
    return status;
}

static jtg_status receive_all(struct jtgi_handshake *handshake, int64_t deadline_ns,
                              jtg_redis_server *server, jtg_error *err)
{
    jtg_status status = JTG_OK;
    for (; handshake->step < STEP_COUNT && status == JTG_OK; handshake->step++) {
        redisReply *reply = NULL;
        if (!is_wanted(handshake->dialer->config, handshake->step))
            continue;
        status = receive(handshake->connection, handshake->step, deadline_ns, &reply, err);
        if (status != JTG_OK)
            return status;
        status = hear(handshake, reply, server, err);
    }
    if (status == JTG_OK && !jtgi_connection_is_empty(handshake->connection))
        status = jtg_error_set(err, JTG_ERR_PROTOCOL, 0, "redis: more came than was asked for");
    return status;
}

/* ---- what is sent ---- */

/* The password is in no copy but the command's. */
static jtg_status write_all(struct jtgi_command *command, struct jtgi_password *password,
                            jtgi_handshake_build *build_all, const struct jtgi_redis_config *config,
                            jtg_error *err)
{
    char *copy = NULL;
    jtgi_command_init(command);
    jtg_status status = jtgi_password_copy(password, &config->logger, &copy, err);
    if (status != JTG_OK)
        return status;
    build_all(command, config, copy);
    jtgi_password_free(copy);
    return command->failed ? jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory to log in") : JTG_OK;
}

static void wipe(struct jtgi_command *command)
{
    sodium_memzero(command->inline_bytes, sizeof command->inline_bytes);
    jtgi_command_clear(command);
}

static jtg_status send_all(struct jtgi_connection *connection, const struct jtgi_command *command,
                           size_t *sent, int64_t deadline_ns, jtg_error *err)
{
    struct jtgi_fault fault;
    if (jtgi_connection_send(connection, command->bytes, command->len, sent, deadline_ns, &fault))
        return JTG_OK;
    if (fault.io == JTGI_IO_LATER)
        return JTGI_LATER;
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, fault.cause, "redis: cannot log in: %s",
                         fault.text);
}

jtg_status jtgi_handshake_send(struct jtgi_connection *connection, struct jtgi_password *password,
                               jtgi_handshake_build *build_all,
                               const struct jtgi_redis_config *config, int64_t deadline_ns,
                               jtg_error *err)
{
    struct jtgi_command command;
    size_t sent = 0;
    jtg_status status = write_all(&command, password, build_all, config, err);
    if (status == JTG_OK)
        status = send_all(connection, &command, &sent, deadline_ns, err);
    wipe(&command);
    return status;
}

/* ---- all of it ---- */

jtg_status jtgi_handshake_begin(struct jtgi_handshake *handshake,
                                struct jtgi_connection *connection, struct jtgi_dialer *dialer,
                                jtg_error *err)
{
    handshake->connection = connection;
    handshake->dialer = dialer;
    handshake->sent = 0;
    handshake->is_sent = false;
    handshake->step = STEP_AUTH;
    handshake->asked = jtgi_moment_now(&dialer->config->clock);
    return write_all(&handshake->command, &dialer->password, build, dialer->config, err);
}

jtg_status jtgi_handshake_go_on(struct jtgi_handshake *handshake, int64_t deadline_ns,
                                jtg_redis_server *server, jtg_error *err)
{
    if (!handshake->is_sent) {
        jtg_status status = send_all(handshake->connection, &handshake->command, &handshake->sent,
                                     deadline_ns, err);
        if (status != JTG_OK)
            return status;
        handshake->is_sent = true;
        jtgi_handshake_end(handshake);
    }
    return receive_all(handshake, deadline_ns, server, err);
}

void jtgi_handshake_end(struct jtgi_handshake *handshake)
{
    wipe(&handshake->command);
}

jtg_status jtgi_handshake(struct jtgi_connection *connection, struct jtgi_dialer *dialer,
                          int64_t deadline_ns, jtg_redis_server *server, jtg_error *err)
{
    struct jtgi_handshake handshake;
    jtg_status status = jtgi_handshake_begin(&handshake, connection, dialer, err);
    if (status == JTG_OK)
        status = jtgi_handshake_go_on(&handshake, deadline_ns, server, err);
    jtgi_handshake_end(&handshake);
    return status;
}
