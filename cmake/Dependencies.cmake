# SPDX-License-Identifier: Apache-2.0
# What the library and the tool are built on (docs/decisions/0001-dependencies.md).
find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(uuid REQUIRED IMPORTED_TARGET uuid)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson>=2.13)
