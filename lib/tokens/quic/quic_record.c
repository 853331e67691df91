/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/quic/quic_record.h"

#include "tokens/common/wire.h"

enum { FORMAT = 1 };

void jtgi_quic_record_write(const struct jtgi_quic_record *record, unsigned char *bytes)
{
    struct jtgi_writer writer =
        jtgi_writer_of(bytes, JTGI_QUIC_RECORD_FIXED_BYTES + record->token_len);
    jtgi_write_number(&writer, FORMAT, 1);
    jtgi_write_number(&writer, (uint64_t)record->epoch, 8);
    jtgi_write_number(&writer, record->rtt_us, 8);
    jtgi_write_number(&writer, record->ttl_ms, 8);
    jtgi_write_bytes(&writer, record->token, record->token_len);
}

bool jtgi_quic_record_read(struct jtgi_quic_record *record, const void *bytes, size_t len)
{
    struct jtgi_reader reader = jtgi_reader_of(bytes, len);
    if (len <= JTGI_QUIC_RECORD_FIXED_BYTES ||
        len > JTGI_QUIC_RECORD_FIXED_BYTES + (size_t)JTG_QUIC_TOKEN_BYTES_LIMIT ||
        jtgi_read_number(&reader, 1) != FORMAT)
        return false;
    record->epoch = (int64_t)jtgi_read_number(&reader, 8);
    record->rtt_us = jtgi_read_number(&reader, 8);
    record->ttl_ms = jtgi_read_number(&reader, 8);
    record->token_len = reader.left;
    record->token = jtgi_read_bytes(&reader, record->token_len);
    return jtgi_reader_ended(&reader) && record->ttl_ms != 0 && record->ttl_ms <= JTG_TTL_MAX_MS;
}
