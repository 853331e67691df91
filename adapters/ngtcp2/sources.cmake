# SPDX-License-Identifier: Apache-2.0
jtiguard_adapter(ngtcp2 PACKAGE libngtcp2>=0.12 SOURCES client_token.c server_token.c)
