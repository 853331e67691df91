# SPDX-License-Identifier: Apache-2.0
jtiguard_adapter(nss PACKAGE nss>=3.87 SOURCES anti_replay_nss.c client_hello.c
                 dtls_sessions_nss.c hello_layer.c nss_error.c wrap_key.c)
