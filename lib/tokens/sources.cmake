# SPDX-License-Identifier: Apache-2.0
# What of lib/tokens needs OpenSSL, included by lib/CMakeLists.txt: adds to `sources` and to what the
# library links (`tokens_libraries`).
set(tokens_libraries "")
if(JTIGUARD_TOKENS)
  set(tokens_libraries PkgConfig::libcrypto)
  list(
    APPEND
    sources
    tokens/common/cipher.c
    tokens/common/key_file.c
    tokens/common/safe_file.c
    tokens/dtls/dtls_record.c
    tokens/dtls/dtls_sessions.c
    tokens/tickets/key_blob.c
    tokens/tickets/key_ring.c
    tokens/tickets/key_set.c
    tokens/tickets/key_store.c
    tokens/tickets/ticket.c
    tokens/tickets/ticket_export.c
    tokens/tickets/ticket_key.c
    tokens/tickets/ticket_keys.c
    tokens/tickets/ticket_options.c
    tokens/tickets/ticket_seal.c
    tokens/tls/tls_document.c
    tokens/tls/tls_entry.c
    tokens/tls/tls_file.c
    tokens/tls/tls_options.c
    tokens/tls/tls_text.c
    tokens/tls/tls_tickets.c)
else()
  list(APPEND sources tokens/dtls/dtls_sessions_absent.c tokens/tickets/ticket_keys_absent.c
       tokens/tls/tls_tickets_absent.c)
endif()
list(APPEND sources tokens/tickets/ticket_reason.c tokens/tls/tls_path.c)
