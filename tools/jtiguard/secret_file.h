/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a file that holds a secret may be believed: whoever can write it chooses the secret. */
#ifndef TOOL_SECRET_FILE_H
#define TOOL_SECRET_FILE_H

#include <stdbool.h>

enum secret_reach {
    SECRET_READ_BY_ALL,  /* containers mount secrets so that each of their users can read them */
    SECRET_FOR_ITS_OWNER /* no rights of any other */
};

/* NULL: a regular file of ours, or of root's, that nobody else can write. Else what is wrong, to
 * follow the file's name. */
const char *secret_file_fault(int fd, enum secret_reach reach);

#endif
