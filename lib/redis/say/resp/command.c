/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/resp/command.h"

#include "core/alloc.h"

#include <string.h>

enum { NUMBER_BYTES = 20 /* digits of 2^64 - 1 */ };

void jtgi_command_init(struct jtgi_command *command)
{
    command->bytes = command->inline_bytes;
    command->len = 0;
    command->capacity = sizeof command->inline_bytes;
    command->failed = false;
}

void jtgi_command_clear(struct jtgi_command *command)
{
    if (command->bytes != command->inline_bytes)
        jtgi_free_wiped(command->bytes, command->capacity);
    jtgi_command_init(command);
}

static bool grow(struct jtgi_command *command, size_t more)
{
    size_t capacity = command->capacity * 2 + more;
    unsigned char *bytes = jtgi_alloc(capacity);
    if (bytes == NULL) {
        command->failed = true;
        return false;
    }
    memcpy(bytes, command->bytes, command->len);
    if (command->bytes != command->inline_bytes)
        jtgi_free_wiped(command->bytes, command->capacity);
    command->bytes = bytes;
    command->capacity = capacity;
    return true;
}

static void append(struct jtgi_command *command, const void *data, size_t data_len)
{
    if (command->failed || data_len == 0)
        return;
    if (data_len > command->capacity - command->len && !grow(command, data_len))
        return;
    memcpy(command->bytes + command->len, data, data_len);
    command->len += data_len;
}

static size_t digits_of(uint64_t number, char digits[NUMBER_BYTES])
{
    char backwards[NUMBER_BYTES];
    size_t count = 0;
    do {
        backwards[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (size_t i = 0; i < count; i++)
        digits[i] = backwards[count - 1 - i];
    return count;
}

/* A line that says how much follows: '*' words, or '$' bytes. */
static void append_size(struct jtgi_command *command, char kind, uint64_t size)
{
    char line[1 + NUMBER_BYTES + 2];
    line[0] = kind;
    size_t len = 1 + digits_of(size, line + 1);
    line[len++] = '\r';
    line[len++] = '\n';
    append(command, line, len);
}

void jtgi_command_begin(struct jtgi_command *command, size_t count)
{
    append_size(command, '*', count);
}

void jtgi_command_joined(struct jtgi_command *command, const void *head, size_t head_len,
                         const void *tail, size_t tail_len)
{
    append_size(command, '$', head_len + tail_len);
    append(command, head, head_len);
    append(command, tail, tail_len);
    append(command, "\r\n", 2);
}

void jtgi_command_bytes(struct jtgi_command *command, const void *data, size_t data_len)
{
    jtgi_command_joined(command, data, data_len, NULL, 0);
}

void jtgi_command_text(struct jtgi_command *command, const char *text)
{
    jtgi_command_bytes(command, text, strlen(text));
}

void jtgi_command_number(struct jtgi_command *command, uint64_t number)
{
    char digits[NUMBER_BYTES];
    jtgi_command_bytes(command, digits, digits_of(number, digits));
}

void jtgi_command_reserve(struct jtgi_command *command, const void *key, size_t key_len,
                          const jtg_owner *owner, uint64_t ttl_ms)
{
    static const char set[] = "*6\r\n$3\r\nSET\r\n";
    static const char only_if_free[] = "$2\r\nNX\r\n$2\r\nPX\r\n";
    append(command, set, sizeof set - 1);
    jtgi_command_bytes(command, key, key_len);
    jtgi_command_bytes(command, owner->bytes, sizeof owner->bytes);
    append(command, only_if_free, sizeof only_if_free - 1);
    jtgi_command_number(command, ttl_ms);
}
