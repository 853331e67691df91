/* SPDX-License-Identifier: Apache-2.0 */
/* postgresql_login CONNINFO TOKEN [AND_THEN]: one login to PostgreSQL 18 with this token, as a
 * client that has its token from elsewhere makes it. Prints who is logged in, or the server's
 * refusal; how often the token was asked for; 0 for a login. */
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

static char *token;

static int give_token(PGauthData type, PGconn *conn, void *data)
{
    (void)conn;
    if (type != PQAUTHDATA_OAUTH_BEARER_TOKEN)
        return 0;
    PGoauthBearerRequest *request = data;
    request->token = token;
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    token = argv[2];
    PQsetAuthDataHook(give_token);
    PGconn *conn = PQconnectdb(argv[1]);
    int status = PQstatus(conn) == CONNECTION_OK ? 0 : 1;
    if (status == 0) {
        PGresult *result = PQexec(conn, "SELECT system_user");
        printf("%s\n", PQgetvalue(result, 0, 0));
        PQclear(result);
    } else
        printf("%s", PQerrorMessage(conn));
    PQfinish(conn);
    return status;
}
