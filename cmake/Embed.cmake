# SPDX-License-Identifier: Apache-2.0
# cmake -D FILE=... -D NAME=... -D HEADER=... -D OUTPUT=... -P Embed.cmake
# A file as an array of bytes, for what a program hands out as it stands in the tree.
file(READ "${FILE}" bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
get_filename_component(source "${FILE}" NAME)
file(
  WRITE "${OUTPUT}"
  "/* SPDX-License-Identifier: Apache-2.0 */
/* Made from ${source}. */
#include \"${HEADER}\"

const unsigned char ${NAME}[] = {
${bytes}};
const size_t ${NAME}_len = sizeof ${NAME};
")
