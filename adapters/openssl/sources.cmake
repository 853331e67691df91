# SPDX-License-Identifier: Apache-2.0
jtiguard_adapter(
  openssl
  PACKAGE
  openssl>=3.0
  SOURCES
  client/client_attempt.c
  client/client_trust.c
  client/session_record.c
  client/tls_tickets_openssl.c
  server/anti_replay_openssl.c
  server/early_data.c
  server/stored_session.c
  server/ticket_id.c
  server/ticket_keys_openssl.c)
