# SPDX-License-Identifier: Apache-2.0
jtiguard_adapter(gnutls PACKAGE gnutls>=3.6.5 SOURCES anti_replay_gnutls.c db_entry.c)
