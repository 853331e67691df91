# SPDX-License-Identifier: Apache-2.0
# What a program binds to in a shared library (docs/decisions/0016-abi.md). While the version is 0.x,
# each minor version is another interface, so the SONAME and the version of the symbols name it.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(jtiguard_abi 0.${PROJECT_VERSION_MINOR})
else()
  set(jtiguard_abi ${PROJECT_VERSION_MAJOR})
endif()
set(jtiguard_exports ${PROJECT_BINARY_DIR}/exports.map)
configure_file(cmake/exports.map.in ${jtiguard_exports} @ONLY)

# jtiguard_versioned(target): of the library and of the adapters, the shared form alone.
function(jtiguard_versioned target)
  set_target_properties(${target} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${jtiguard_abi}
                                             LINK_DEPENDS ${jtiguard_exports})
  target_link_options(${target} PRIVATE LINKER:--version-script=${jtiguard_exports})
endfunction()
