# SPDX-License-Identifier: Apache-2.0
# What the library and the tool are built on (docs/decisions/0001-dependencies.md).
find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(uuid REQUIRED IMPORTED_TARGET uuid)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson>=2.13)

# `jtiguard serve` only; the library needs none of these.
option(JTIGUARD_SERVE "Build `jtiguard serve` (needs libmicrohttpd, cjose, libcurl, libcrypto)" ON)
if(JTIGUARD_SERVE)
  pkg_check_modules(microhttpd IMPORTED_TARGET libmicrohttpd>=0.9.75)
  pkg_check_modules(cjose IMPORTED_TARGET cjose>=0.6.1)
  pkg_check_modules(curl IMPORTED_TARGET libcurl>=7.85)
  pkg_check_modules(crypto IMPORTED_TARGET libcrypto>=3.0)
  foreach(name microhttpd cjose curl crypto)
    if(NOT ${name}_FOUND)
      message(FATAL_ERROR "`jtiguard serve` needs ${name}. On Debian: apt-get install libmicrohttpd-dev "
                          "libcjose-dev libcurl4-openssl-dev libssl-dev. Or build without it: "
                          "-DJTIGUARD_SERVE=OFF")
    endif()
  endforeach()
endif()

option(JTIGUARD_TOKENS "Build ticket keys and DTLS sessions (needs OpenSSL 3)" ON)
if(JTIGUARD_TOKENS)
  pkg_check_modules(libcrypto REQUIRED IMPORTED_TARGET libcrypto>=3.0)
endif()
