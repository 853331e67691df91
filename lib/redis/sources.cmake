# SPDX-License-Identifier: Apache-2.0
# The Redis backend, included by lib/CMakeLists.txt: adds to `sources` and to what the library
# links (`redis_libraries`).
set(redis_dir ${CMAKE_CURRENT_LIST_DIR})
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis>=0.14)

# TLS is offered where the distribution's hiredis offers it, so that one build of a program speaks
# to one kind of server with both. It is spoken by OpenSSL itself; ON builds it anywhere.
pkg_check_modules(hiredis_ssl QUIET hiredis_ssl)
option(JTIGUARD_REDIS_TLS "Offer rediss:// (needs OpenSSL 3)" ${hiredis_ssl_FOUND})

list(
  APPEND
  sources
  redis/say/address/address.c
  redis/say/address/address_map.c
  redis/say/keys/marker.c
  redis/say/keys/share.c
  redis/say/keys/stored_key.c
  redis/say/options/config.c
  redis/say/options/uri.c
  redis/say/options/uri_query.c
  redis/say/options/uri_text.c
  redis/say/resp/command.c
  redis/say/resp/error_table.c
  redis/say/resp/reply.c
  redis/say/resp/scripts.c
  redis/say/server/gate.c
  redis/say/server/info.c
  redis/say/slots/redirect.c
  redis/say/slots/slot_map.c
  redis/say/slots/slots.c
  redis/line/connection.c
  redis/line/dialer.c
  redis/line/handshake.c
  redis/line/link.c
  redis/line/password/password.c
  redis/line/password/password_file.c
  redis/line/residence.c
  redis/line/resolver.c
  redis/line/socket.c
  redis/line/targets.c
  redis/line/transport.c
  redis/flow/batch.c
  redis/flow/blocking.c
  redis/flow/flight.c
  redis/flow/health.c
  redis/flow/marking.c
  redis/flow/pipeline.c
  redis/flow/reliance.c
  redis/flow/schedule.c
  redis/flow/shared.c
  redis/flow/usage.c
  redis/flow/watch.c
  redis/flow/word.c
  redis/route/arrival.c
  redis/route/cluster.c
  redis/route/node.c
  redis/route/nodes.c
  redis/route/route.c
  redis/route/sentinel.c
  redis/route/sentinels.c
  redis/route/voices.c
  redis/route/witnesses.c
  redis/ask/attempt.c
  redis/ask/bitmaps.c
  redis/ask/late_marking.c
  redis/ask/request.c
  redis/ask/reservations.c
  redis/ask/server.c
  redis/ask/store.c
  redis/ask/values.c
  redis/ask/verdict.c
  redis/ask/vouch.c
  redis/ask/walk.c
  redis/loop/bell.c
  redis/loop/lane.c
  redis/loop/queue.c
  redis/loop/trip.c
  redis/redis.c)
set(redis_libraries PkgConfig::hiredis)
if(JTIGUARD_REDIS_TLS)
  find_package(OpenSSL 3.0 REQUIRED)
  list(APPEND sources redis/line/tls/tls.c redis/line/tls/tls_context.c redis/line/tls/tls_files.c)
  list(APPEND redis_libraries OpenSSL::SSL OpenSSL::Crypto)
else()
  list(APPEND sources redis/line/tls/tls_absent.c)
endif()

# redis_script_texts.h: JTGI_SCRIPT_TEXTS(X) with a row X(NAME, text, sha1) a script.
set(script_rows "")
foreach(script hold release share unshare mark lower raise put get take swap drop bits)
  file(READ ${redis_dir}/say/resp/scripts/${script}.lua body)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                                         ${redis_dir}/say/resp/scripts/${script}.lua)
  if(NOT script MATCHES "hold|release|share|mark|lower|raise|bits")
    file(READ ${redis_dir}/say/resp/scripts/values.lua head)
    string(PREPEND body "${head}")
  endif()
  # A server needs no comments.
  string(REGEX REPLACE "--[^\n]*\n" "" body "${body}")
  string(SHA1 digest "${body}")
  string(REPLACE "\\" "\\\\" body "${body}")
  string(REPLACE "\"" "\\\"" body "${body}")
  string(REPLACE "\n" "\\n\" \\\n        \"" body "${body}")
  string(TOUPPER ${script} name)
  string(APPEND script_rows " \\\n    X(${name}, \\\n        \"${body}\", \\\n        \"${digest}\")")
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${redis_dir}/say/resp/scripts/values.lua)
file(
  CONFIGURE
  OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/redis/redis_script_texts.h
  CONTENT
    "/* Made by lib/redis/sources.cmake from lib/redis/say/resp/scripts. */\n#define JTGI_SCRIPT_TEXTS(X)@script_rows@\n"
  @ONLY)
