# SPDX-License-Identifier: Apache-2.0
# The verifier, without its service. Whatever starts threads also runs under the thread sanitizer.
foreach(name attacks discovery dpop exposition jwks keys verify verify_examples verify_memory verify_parts)
  set(labels serve)
  if(name MATCHES "discovery|jwks|keys")
    list(APPEND labels threads)
  endif()
  jtiguard_test(test_serve_${name} test_${name}.c keys_server.c signer.c verify_fixture.c LABELS
                ${labels})
  target_link_libraries(
    test_serve_${name} PRIVATE jtiguard_serve_objects jtiguard_tool_objects PkgConfig::crypto
                               PkgConfig::microhttpd)
endforeach()
target_compile_definitions(
  test_serve_verify PRIVATE JTIGUARD_SERVE_TOKENS="${PROJECT_SOURCE_DIR}/docs/serve-tokens.md")
target_link_options(test_serve_verify_memory PRIVATE
                    LINKER:--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup)
