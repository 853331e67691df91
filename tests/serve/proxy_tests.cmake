# SPDX-License-Identifier: Apache-2.0
# The tool behind proxies and under load, as processes of their own.
add_library(jtiguard_serve_place STATIC
            application.c behind_proxy.c dpop_client.c http_client.c lossy_relay.c nginx.c processes.c
            proxy_kind.c signer.c slow_crowd.c snippet.c)
target_include_directories(jtiguard_serve_place PUBLIC ${PROJECT_SOURCE_DIR}/tests
                                                       ${PROJECT_SOURCE_DIR})
target_link_libraries(jtiguard_serve_place PUBLIC jtiguard_test_support PkgConfig::crypto
                                                  PkgConfig::microhttpd PkgConfig::sodium)
target_compile_definitions(
  jtiguard_serve_place PRIVATE JTIGUARD_TOOL_PATH="$<TARGET_FILE:jtiguard_tool>"
                               JTIGUARD_PROXIES="${PROJECT_SOURCE_DIR}/docs/proxies.md")

jtiguard_test(test_serve_flood test_flood.c LABELS serve)
target_link_libraries(test_serve_flood PRIVATE jtiguard_serve_place jtiguard_bench)
add_dependencies(test_serve_flood jtiguard_tool)
set_tests_properties(test_serve_flood PROPERTIES RESOURCE_LOCK instances COST 900)

if(JTIGUARD_REDIS)
  foreach(name hanging_issuers proxies proxy_matrix)
    jtiguard_test(test_serve_${name} test_${name}.c LABELS serve proxies)
    target_link_libraries(test_serve_${name} PRIVATE jtiguard_serve_place jtiguard_bench)
    add_dependencies(test_serve_${name} jtiguard_tool)
    # Three instances, a store and a proxy fill the machine.
    set_tests_properties(test_serve_${name} PROPERTIES RESOURCE_LOCK instances COST 900)
  endforeach()
endif()

# Real issuers and clients, and validators, from npm.
set(npm_tests flows)
if(JTIGUARD_REDIS)
  list(APPEND npm_tests contract proofs)
endif()
foreach(name ${npm_tests})
  add_test(NAME serve_npm_${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/npm/run ${name})
  set_tests_properties(
    serve_npm_${name}
    PROPERTIES LABELS serve
               TIMEOUT 600
               SKIP_RETURN_CODE 77
               RESOURCE_LOCK instances
               COST 900
               ENVIRONMENT "JTIGUARD=$<TARGET_FILE:jtiguard_tool>;BUILD=${CMAKE_BINARY_DIR}")
endforeach()

# The client for Node.js: alone, and beside the packages whose stores it has.
foreach(
  name
  unit
  real
  readme
  types
  workers
  oidc_provider
  node_saml
  atproto
  adcp
  unique
  middleware)
  add_test(NAME serve_npm_client_${name} COMMAND ${PROJECT_SOURCE_DIR}/clients/node/test/run ${name})
  set_tests_properties(
    serve_npm_client_${name}
    PROPERTIES LABELS "serve;clients"
               TIMEOUT 600
               SKIP_RETURN_CODE 77
               RESOURCE_LOCK instances
               COST 100
               ENVIRONMENT "JTIGUARD=$<TARGET_FILE:jtiguard_tool>;BUILD=${CMAKE_BINARY_DIR}")
endforeach()

add_test(NAME serve_python_client
         COMMAND sh -c "command -v python3 || exit 77; exec python3 -X dev \"$0\""
                 ${PROJECT_SOURCE_DIR}/clients/python/test/test_client.py)
set_tests_properties(
  serve_python_client
  PROPERTIES LABELS "serve;clients"
             TIMEOUT 300
             SKIP_RETURN_CODE 77
             ENVIRONMENT "JTIGUARD=$<TARGET_FILE:jtiguard_tool>;PYTHONDONTWRITEBYTECODE=1")

if(JTIGUARD_REDIS)
  add_test(NAME serve_outages COMMAND sh -c "command -v node || exit 77; exec node \"$0\""
                                      ${CMAKE_CURRENT_SOURCE_DIR}/outages.mjs)
  set_tests_properties(
    serve_outages
    PROPERTIES LABELS serve
               TIMEOUT 300
               SKIP_RETURN_CODE 77
               RESOURCE_LOCK instances
               COST 900
               ENVIRONMENT "JTIGUARD=$<TARGET_FILE:jtiguard_tool>")
endif()

# What docs/serve.md shows to ask the API with.
add_test(NAME serve_examples COMMAND sh -c "command -v node || exit 77; exec node \"$0\""
                                     ${CMAKE_CURRENT_SOURCE_DIR}/examples.mjs)
set_tests_properties(
  serve_examples
  PROPERTIES LABELS serve
             TIMEOUT 120
             SKIP_RETURN_CODE 77
             ENVIRONMENT
             "JTIGUARD=$<TARGET_FILE:jtiguard_tool>;SERVE_PAGE=${PROJECT_SOURCE_DIR}/docs/serve.md")

add_test(NAME serve_unit
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/check-unit
                 ${PROJECT_SOURCE_DIR}/packaging/systemd/jtiguard.service
                 $<TARGET_FILE:jtiguard_tool>)
set_tests_properties(serve_unit PROPERTIES LABELS serve TIMEOUT 60)
