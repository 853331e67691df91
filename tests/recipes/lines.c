/* SPDX-License-Identifier: Apache-2.0 */
#include "recipes/lines.h"

#include "serve/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int open_line(void *context, unsigned which)
{
    const struct lines *lines = context;
    return http_connect_unix(lines->doors[which]);
}

static void show_line(void *context, int fd, const struct crowd_token *token)
{
    char line[128];
    (void)context;
    int len = snprintf(line, sizeof line, "%s %ld %ld\n", token->jti, token->iat, token->exp);
    (void)http_send(fd, line, (size_t)len);
}

static enum crowd_answer judge(const struct lines *lines, const char *line)
{
    if (strncmp(line, "admitted ", 9) == 0)
        return CROWD_ADMITTED;
    if (strncmp(line, "store_blocked ", 14) == 0)
        return CROWD_BLOCKED;
    if (strncmp(line, "replayed ", 9) != 0)
        place_fail(&lines->place, line);
    return CROWD_REPLAYED;
}

static enum crowd_answer read_line(void *context, int fd, pid_t *worker)
{
    char line[128];
    size_t len = 0;
    while (len + 1 < sizeof line && recv(fd, line + len, 1, 0) == 1 && line[len++] != '\n')
        ;
    line[len] = '\0';
    const char *behind = strchr(line, ' ');
    if (len == 0 || line[len - 1] != '\n' || behind == NULL)
        return CROWD_LOST;
    *worker = (pid_t)strtol(behind, NULL, 10);
    return judge(context, line);
}

const struct crowd_server lines_server = {true, open_line, NULL, show_line, read_line};
