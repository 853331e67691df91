# SPDX-License-Identifier: Apache-2.0
# Manual pages and completions of shells, made of the tool's help texts: build/…/man, build/…/completions.
# They are made by running the tool, so a build for another machine goes without.
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  return()
endif()

set(manual_sources ${PROJECT_SOURCE_DIR}/packaging/manual)
set(manual_stamp ${PROJECT_BINARY_DIR}/completions/jtiguard.fish) # made last
file(GLOB manual_scripts CONFIGURE_DEPENDS ${manual_sources}/*)
add_custom_command(
  OUTPUT ${manual_stamp}
  COMMAND ${manual_sources}/make $<TARGET_FILE:jtiguard_tool> ${PROJECT_BINARY_DIR}
          ${PROJECT_VERSION}
  DEPENDS jtiguard_tool ${manual_scripts}
  COMMENT "Making the manual pages"
  VERBATIM)
add_custom_target(jtiguard_manual ALL DEPENDS ${manual_stamp})

# Optional: who builds the tool alone can install it.
install(DIRECTORY ${PROJECT_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR} OPTIONAL)
set(completions ${PROJECT_BINARY_DIR}/completions)
install(
  FILES ${completions}/jtiguard.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME jtiguard
  OPTIONAL)
install(
  FILES ${completions}/_jtiguard
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions
  OPTIONAL)
install(
  FILES ${completions}/jtiguard.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
  OPTIONAL)
