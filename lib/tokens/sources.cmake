# SPDX-License-Identifier: Apache-2.0
# What of lib/tokens needs OpenSSL, included by lib/CMakeLists.txt: adds to `sources` and to what the
# library links (`tokens_libraries`).
set(tokens_libraries "")
if(JTIGUARD_TOKENS)
  set(tokens_libraries PkgConfig::libcrypto PkgConfig::jansson)
  list(
    APPEND
    sources
    tokens/common/cipher.c
    tokens/common/key_file.c
    tokens/common/safe_file.c
    tokens/dtls/dtls_record.c
    tokens/dtls/dtls_sessions.c
    tokens/key_blob.c
    tokens/key_ring.c
    tokens/key_set.c
    tokens/key_store.c
    tokens/ticket.c
    tokens/ticket_export.c
    tokens/ticket_key.c
    tokens/ticket_keys.c
    tokens/ticket_options.c
    tokens/ticket_seal.c
    tokens/tls_document.c
    tokens/tls_entry.c
    tokens/tls_file.c
    tokens/tls_options.c
    tokens/tls_text.c
    tokens/tls_tickets.c)
else()
  list(APPEND sources tokens/dtls/dtls_sessions_absent.c tokens/ticket_keys_absent.c
       tokens/tls_tickets_absent.c)
endif()
list(APPEND sources tokens/ticket_reason.c tokens/tls_path.c)
