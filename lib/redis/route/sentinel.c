/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/route/sentinel.h"

#include "core/digits.h"
#include "redis/line/handshake.h"
#include "redis/line/link.h"
#include "redis/say/server/info.h"

#include <string.h>

/* The epoch is asked for before the address. A failover between the two questions then shows as a
 * new address under an old epoch, which loses; the other way round the old address would win. */
enum question {
    QUESTION_LOGIN,
    QUESTION_ID,
    QUESTION_PEERS,
    QUESTION_MASTER,
    QUESTION_ADDRESS,
    QUESTIONS
};

static void build(struct jtgi_command *command, const struct jtgi_redis_config *config,
                  const char *password)
{
    const jtg_redis_options *options = &config->options;
    static const char *const names[] = {"SENTINELS", "MASTER", "GET-MASTER-ADDR-BY-NAME"};
    if (password != NULL)
        jtgi_handshake_login(command, options->sentinel_user, password);
    jtgi_command_begin(command, 2);
    jtgi_command_text(command, "SENTINEL");
    jtgi_command_text(command, "MYID");
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        jtgi_command_begin(command, 3);
        jtgi_command_text(command, "SENTINEL");
        jtgi_command_text(command, names[i]);
        jtgi_command_text(command, options->sentinel_primary);
    }
}

/* ---- answers ---- */

static bool read_digits(const redisReply *reply, uint64_t highest, uint64_t *number)
{
    return reply->type == REDIS_REPLY_STRING &&
           jtgi_digits_read(reply->str, reply->len, highest, number);
}

/* Names and values in turn. */
static const redisReply *find_value(const redisReply *reply, const char *wanted)
{
    if (reply->type != REDIS_REPLY_ARRAY)
        return NULL;
    for (size_t i = 0; i + 1 < reply->elements; i += 2)
        if (jtgi_reply_is_bytes(reply->element[i], wanted, strlen(wanted)))
            return reply->element[i + 1];
    return NULL;
}

static bool read_number(const redisReply *reply, const char *wanted, uint64_t *number)
{
    const redisReply *value = find_value(reply, wanted);
    return value != NULL && read_digits(value, INT64_MAX, number);
}

static bool read_master(const redisReply *reply, struct jtgi_sentinel_answer *answer)
{
    if (!read_number(reply, "num-other-sentinels", &answer->others))
        answer->others = 0;
    return read_number(reply, "config-epoch", &answer->epoch);
}

static bool read_id(const redisReply *reply, char id[JTGI_SENTINEL_ID_BYTES])
{
    if (reply->type != REDIS_REPLY_STRING || reply->len == 0 ||
        reply->len >= JTGI_SENTINEL_ID_BYTES)
        return false;
    memcpy(id, reply->str, reply->len);
    id[reply->len] = '\0';
    return true;
}

static bool read_peers(const redisReply *reply, struct jtgi_sentinel_peers *peers)
{
    if (reply->type != REDIS_REPLY_ARRAY)
        return false;
    for (size_t i = 0; i < reply->elements && peers->count < JTGI_SENTINEL_PEERS_MAX; i++) {
        const redisReply *id = find_value(reply->element[i], "runid");
        if (id == NULL || !read_id(id, peers->ids[peers->count]))
            return false;
        peers->count++;
    }
    peers->told = true;
    return true;
}

static bool read_address(const redisReply *reply, struct jtgi_address *address)
{
    uint64_t port = 0;
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
           reply->element[0]->type == REDIS_REPLY_STRING &&
           read_digits(reply->element[1], UINT16_MAX, &port) &&
           jtgi_address_set(address, reply->element[0]->str, reply->element[0]->len,
                            (uint32_t)port);
}

/* An unknown name is an error to one question, and nothing to the other. A Sentinel tells it in
 * words only, so every error that is not in our table is taken for it. */
static jtg_status judge_error(const redisReply *reply, jtg_error *err)
{
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    bool unknown = row == NULL || row->class == JTGI_CLASS_UNKNOWN;
    if (row != NULL && row->class == JTGI_CLASS_COMMAND)
        return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                             "redis: it is no Sentinel: it does not know SENTINEL");
    return jtg_error_set(err, unknown ? JTG_ERR_REFUSED : row->status, 0, "redis: %s",
                         unknown ? "it knows no primary of this name" : row->text);
}

static jtg_status judge(const redisReply *reply, enum question question,
                        struct jtgi_sentinel_answer *answer, jtg_error *err)
{
    bool good = false;
    if (question == QUESTION_ID && reply->type == REDIS_REPLY_ERROR)
        return JTG_OK; /* its INFO is asked */
    if (question == QUESTION_PEERS && reply->type == REDIS_REPLY_ERROR)
        return JTG_OK; /* it does not say, as its user may not ask */
    if (reply->type == REDIS_REPLY_ERROR || reply->type == REDIS_REPLY_NIL)
        return judge_error(reply, err);
    if (question == QUESTION_LOGIN)
        good = jtgi_reply_is_ok(reply);
    else if (question == QUESTION_ID)
        good = read_id(reply, answer->id);
    else if (question == QUESTION_PEERS)
        good = read_peers(reply, &answer->peers);
    else if (question == QUESTION_MASTER)
        good = read_master(reply, answer);
    else
        good = read_address(reply, &answer->primary);
    return good ? JTG_OK
                : jtg_error_set(err, JTG_ERR_PROTOCOL, 0, "redis: its answer is not understood");
}

/* ---- the talk ---- */

static jtg_status receive_all(struct jtgi_connection *connection, struct jtgi_password *password,
                              int64_t deadline_ns, struct jtgi_sentinel_answer *answer,
                              jtg_error *err)
{
    jtg_status status = JTG_OK;
    bool login = jtgi_password_is_set(password);
    for (enum question question = login ? QUESTION_LOGIN : QUESTION_ID;
         question < QUESTIONS && status == JTG_OK; question++) {
        struct jtgi_fault fault;
        redisReply *reply = jtgi_connection_receive(connection, deadline_ns, &fault);
        if (reply == NULL)
            return jtg_error_set(err, JTG_ERR_UNAVAILABLE, fault.cause, "redis: %s", fault.text);
        status = judge(reply, question, answer, err);
        if (status == JTG_ERR_REFUSED && question == QUESTION_LOGIN)
            jtgi_password_explain(password, err);
        freeReplyObject(reply);
    }
    return status;
}

static jtg_status talk(struct jtgi_connection *connection, struct jtgi_dialer *dialer,
                       int64_t deadline_ns, struct jtgi_sentinel_answer *answer, jtg_error *err)
{
    struct jtgi_password *password = &dialer->sentinel_password;
    jtg_status status =
        jtgi_handshake_send(connection, password, build, dialer->config, deadline_ns, err);
    return status == JTG_OK ? receive_all(connection, password, deadline_ns, answer, err) : status;
}

/* It may not be asked for its id, or is too old to know the question: then the id of its process
 * counts, by which no other knows it. Who says neither is nobody: it could be one that has answered
 * already. */
static jtg_status ask_process(struct jtgi_connection *connection, int64_t deadline_ns,
                              struct jtgi_sentinel_answer *answer, jtg_error *err)
{
    struct jtgi_command command;
    jtg_redis_server server = {0};
    redisReply *reply = NULL;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 2);
    jtgi_command_text(&command, "INFO");
    jtgi_command_text(&command, "server");
    jtg_status status = jtgi_link_ask(connection, &command, deadline_ns, &reply, err);
    jtgi_command_clear(&command);
    if (status == JTG_OK && reply->type == REDIS_REPLY_STRING)
        jtgi_info_read(&server, reply->str, reply->len, 0);
    if (reply != NULL)
        freeReplyObject(reply);
    if (status == JTG_OK && server.run_id[0] == '\0')
        return jtg_error_set(err, JTG_ERR_REFUSED, 0,
                             "redis: it does not say who it is: its user needs SENTINEL MYID");
    memcpy(answer->id, server.run_id, sizeof server.run_id);
    answer->peers.told = false;
    return status;
}

jtg_status jtgi_sentinel_ask(struct jtgi_dialer *dialer, const struct jtgi_address *sentinel,
                             const char *tls_name, int64_t deadline_ns,
                             struct jtgi_sentinel_answer *answer, jtg_error *err)
{
    struct jtgi_connection *connection = NULL;
    jtg_status status =
        jtgi_link_open_sentinel(dialer, sentinel, tls_name, deadline_ns, &connection, err);
    if (status == JTG_OK)
        status = talk(connection, dialer, deadline_ns, answer, err);
    if (status == JTG_OK && answer->id[0] == '\0')
        status = ask_process(connection, deadline_ns, answer, err);
    jtgi_connection_free(connection);
    return status;
}
