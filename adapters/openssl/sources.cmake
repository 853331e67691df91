# SPDX-License-Identifier: Apache-2.0
jtiguard_adapter(
  openssl
  PACKAGE
  openssl>=3.0
  SOURCES
  anti_replay_openssl.c
  client_attempt.c
  client_trust.c
  early_data.c
  session_record.c
  stored_session.c
  ticket_id.c
  ticket_keys_openssl.c
  tls_tickets_openssl.c)
