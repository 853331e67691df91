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

static jtg_status receive_all(struct jtgi_connection *connection, struct jtgi_dialer *dialer,
                              struct jtgi_moment asked, int64_t deadline_ns,
                              jtg_redis_server *server, jtg_error *err)
{
    jtg_status status = JTG_OK;
    for (enum step step = STEP_AUTH; step < STEP_COUNT && status == JTG_OK; step++) {
        redisReply *reply = NULL;
        if (!is_wanted(dialer->config, step))
            continue;
        status = receive(connection, step, deadline_ns, &reply, err);
        if (status == JTG_OK)
            status = judge(reply, step, dialer->config, err);
        if (status == JTG_ERR_REFUSED && step == STEP_AUTH)
            jtgi_password_explain(&dialer->password, err);
        if (status == JTG_OK && step == STEP_INFO)
            read_info(connection, reply, asked, server);
        if (status == JTG_OK && step == STEP_WAITAOF)
            server->waitaof = reply->type == REDIS_REPLY_ARRAY;
        if (reply != NULL)
            freeReplyObject(reply);
    }
    if (status == JTG_OK && !jtgi_connection_is_empty(connection))
        status = jtg_error_set(err, JTG_ERR_PROTOCOL, 0, "redis: more came than was asked for");
    return status;
}

jtg_status jtgi_handshake_send(struct jtgi_connection *connection, struct jtgi_password *password,
                               jtgi_handshake_build *build_all,
                               const struct jtgi_redis_config *config, int64_t deadline_ns,
                               jtg_error *err)
{
    struct jtgi_command command;
    struct jtgi_fault fault;
    size_t sent = 0;
    char *copy = NULL;
    jtg_status status = jtgi_password_copy(password, &config->logger, &copy, err);
    if (status != JTG_OK)
        return status;
    jtgi_command_init(&command);
    build_all(&command, config, copy);
    bool built = !command.failed;
    bool gone = built && !jtgi_connection_send(connection, command.bytes, command.len, &sent,
                                               deadline_ns, &fault);
    jtgi_password_free(copy);
    sodium_memzero(command.inline_bytes, sizeof command.inline_bytes);
    jtgi_command_clear(&command);
    if (!built)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory to log in");
    if (gone)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, fault.cause, "redis: cannot log in: %s",
                             fault.text);
    return JTG_OK;
}

jtg_status jtgi_handshake(struct jtgi_connection *connection, struct jtgi_dialer *dialer,
                          int64_t deadline_ns, jtg_redis_server *server, jtg_error *err)
{
    struct jtgi_moment asked = jtgi_moment_now(&dialer->config->clock);
    jtg_status status =
        jtgi_handshake_send(connection, &dialer->password, build, dialer->config, deadline_ns, err);
    return status == JTG_OK ? receive_all(connection, dialer, asked, deadline_ns, server, err)
                            : status;
}
