# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where. The tree may be moved afterwards: nothing in it names its
# prefix, as long as the folders below are relative to it.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/jtiguard)

# One export set a form: a program that links the shared library must not be asked for the
# development files of libsodium and libuuid.
foreach(form shared static)
  install(
    TARGETS jtiguard_${form}
    EXPORT jtiguard_${form}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(
    EXPORT jtiguard_${form}
    FILE jtiguardTargets-${form}.cmake
    NAMESPACE jtiguard::
    DESTINATION ${package_dir})
endforeach()

install(TARGETS jtiguard_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/jtiguard DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(JTIGUARD_SERVE)
  # Where systemd looks below /usr and /usr/local, whatever the libraries' folder is.
  install(FILES packaging/systemd/jtiguard.service DESTINATION lib/systemd/system)
endif()
install(FILES packaging/systemd/jtiguard-host.service DESTINATION lib/systemd/system)
install(FILES packaging/tmpfiles.d/jtiguard-host.conf DESTINATION lib/tmpfiles.d)
install(FILES packaging/sysusers.d/jtiguard-host.conf DESTINATION lib/sysusers.d)
install(FILES packaging/systemd/jtiguard-on-host.conf DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(NOT JTIGUARD_REDIS)
  set(JTIGUARD_REDIS_TLS OFF)
endif()
get_property(adapters GLOBAL PROPERTY JTIGUARD_ADAPTERS)
set(find_adapters "") # of jtiguardConfig.cmake
foreach(stack ${adapters})
  get_property(packages GLOBAL PROPERTY JTIGUARD_ADAPTER_${stack})
  list(JOIN packages " " packages)
  string(APPEND find_adapters "jtiguard_find_adapter(${stack} ${packages})\n")
endforeach()
configure_package_config_file(
  cmake/jtiguardConfig.cmake.in ${PROJECT_BINARY_DIR}/jtiguardConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# While the version is 0.x, a new minor version may break its users.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/jtiguardConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/jtiguardConfig.cmake
              ${PROJECT_BINARY_DIR}/jtiguardConfigVersion.cmake DESTINATION ${package_dir})

# pkg-config finds the prefix from where the file lies; an absolute folder stays as it is.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
else()
  file(RELATIVE_PATH up "/${pc_dir}" "/")
  string(REGEX REPLACE "/$" "" up "${up}")
  set(pc_prefix "\${pcfiledir}/${up}")
endif()
foreach(dir LIBDIR INCLUDEDIR)
  set(pc_${dir} "${CMAKE_INSTALL_${dir}}")
  if(NOT IS_ABSOLUTE "${pc_${dir}}")
    set(pc_${dir} "\${prefix}/${pc_${dir}}")
  endif()
endforeach()
set(pc_further_requires "")
if(JTIGUARD_REDIS)
  string(APPEND pc_further_requires ", hiredis")
endif()
if(JTIGUARD_REDIS AND JTIGUARD_REDIS_TLS)
  string(APPEND pc_further_requires ", openssl")
endif()
if(JTIGUARD_TOKENS)
  string(APPEND pc_further_requires ", libcrypto >= 3.0")
endif()
configure_file(cmake/jtiguard.pc.in ${PROJECT_BINARY_DIR}/jtiguard.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/jtiguard.pc DESTINATION ${pc_dir})
foreach(stack ${adapters})
  get_property(packages GLOBAL PROPERTY JTIGUARD_ADAPTER_${stack})
  string(REPLACE ">=" " >= " pc_packages "${packages}")
  list(JOIN pc_packages ", " pc_packages)
  configure_file(cmake/jtiguard-adapter.pc.in ${PROJECT_BINARY_DIR}/jtiguard-${stack}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/jtiguard-${stack}.pc DESTINATION ${pc_dir})
endforeach()
