/* SPDX-License-Identifier: Apache-2.0 */
/* What every error reply of a server means for us: one table for the code, the tests and the
 * manual (docs/redis.md). No I/O, no locks. */
#ifndef JTGI_REDIS_ERROR_TABLE_H
#define JTGI_REDIS_ERROR_TABLE_H

#include <jtiguard/status.h>
#include <stdbool.h>
#include <stddef.h>

/* Columns: name, how the reply begins, class, what is done next within the deadline, keep the
 * connection, what the caller is told if that helps no more, why in a few words.
 *
 * Error replies come before a command has acted, so nothing was stored in any row.
 * The first row that matches counts; the last one matches everything. */
#define JTGI_ERROR_TABLE(X)                                                                        \
    X("READONLY", "READONLY ", ROLE, REROUTE, false, JTG_ERR_UNAVAILABLE,                          \
      "the server is a replica")                                                                   \
    X("LOADING", "LOADING ", BUSY, STOP, false, JTG_ERR_UNAVAILABLE,                               \
      "the server is loading its data set")                                                        \
    X("BUSY", "BUSY ", BUSY, STOP, true, JTG_ERR_UNAVAILABLE, "a script blocks the server")        \
    X("MASTERDOWN", "MASTERDOWN ", ROLE, REROUTE, false, JTG_ERR_UNAVAILABLE,                      \
      "the server is a replica that lost its primary")                                             \
    X("NOREPLICAS", "NOREPLICAS ", STATE, STOP, true, JTG_ERR_REFUSED,                             \
      "the server has too few replicas to accept writes")                                          \
    X("MISCONF", "MISCONF ", STATE, STOP, true, JTG_ERR_REFUSED,                                   \
      "the server cannot save its data and refuses writes")                                        \
    X("OOM", "OOM ", FULL, STOP, true, JTG_ERR_FULL, "the server's memory is full")                \
    X("CLUSTERDOWN", "CLUSTERDOWN ", CLUSTER, REROUTE, true, JTG_ERR_UNAVAILABLE,                  \
      "the cluster is down")                                                                       \
    X("TRYAGAIN", "TRYAGAIN ", CLUSTER, PAUSE, true, JTG_ERR_UNAVAILABLE,                          \
      "the cluster is moving the key")                                                             \
    X("MOVED", "MOVED ", CLUSTER, MOVED, true, JTG_ERR_UNAVAILABLE,                                \
      "another node of the cluster holds the key")                                                 \
    X("ASK", "ASK ", CLUSTER, ASK, true, JTG_ERR_UNAVAILABLE,                                      \
      "another node of the cluster is taking the key over")                                        \
    X("CROSSSLOT", "CROSSSLOT ", CLUSTER, STOP, true, JTG_ERR_REFUSED,                             \
      "keys of one command lie in different slots")                                                \
    X("NOAUTH", "NOAUTH ", ACCESS, STOP, false, JTG_ERR_REFUSED, "the server asks for a login")    \
    X("WRONGPASS", "WRONGPASS ", ACCESS, STOP, false, JTG_ERR_REFUSED,                             \
      "user or password is wrong")                                                                 \
    X("NOPERM", "NOPERM ", ACCESS, STOP, true, JTG_ERR_REFUSED,                                    \
      "the ACL user may not run this command or use this key")                                     \
    X("DENIED", "DENIED ", ACCESS, STOP, false, JTG_ERR_REFUSED,                                   \
      "the server is in protected mode")                                                           \
    X("max clients", "ERR max number of clients", BUSY, STOP, false, JTG_ERR_UNAVAILABLE,          \
      "the server has too many clients")                                                           \
    X("unknown command", "ERR unknown command", COMMAND, STOP, false, JTG_ERR_REFUSED,             \
      "the server does not know the command: renamed, or switched off")                            \
    X("unknown subcommand", "ERR unknown subcommand", COMMAND, STOP, false, JTG_ERR_REFUSED,       \
      "the server does not know the command: renamed, or switched off")                            \
    X("unknown to a script", "ERR Unknown Redis command called from", COMMAND, STOP, false,        \
      JTG_ERR_REFUSED,                                                                             \
      "the server does not know a command of our script: renamed, or switched off")                \
    X("the same, Valkey", "ERR Unknown command called from", COMMAND, STOP, false,                 \
      JTG_ERR_REFUSED,                                                                             \
      "the server does not know a command of our script: renamed, or switched off")                \
    X("denied to a script", "ERR ACL failure in script", ACCESS, STOP, true, JTG_ERR_REFUSED,      \
      "the ACL user may not run a command of our script or use this key")                          \
    X("the same, Redis 7.0", "ERR The user executing the script can't", ACCESS, STOP, true,        \
      JTG_ERR_REFUSED, "the ACL user may not run a command of our script or use this key")         \
    X("no password", "ERR AUTH <password> called without", SETUP, STOP, false, JTG_ERR_REFUSED,    \
      "a password is configured here, and none for the server's default user")                     \
    X("the same, proxies", "ERR Client sent AUTH, but no password", SETUP, STOP, false,            \
      JTG_ERR_REFUSED, "a password is configured here, and none for the server's default user")    \
    X("database", "ERR DB index is out of range", SETUP, STOP, false, JTG_ERR_REFUSED,             \
      "the server has no database of this number, managed ones often have 0 alone")                \
    X("WRONGTYPE", "WRONGTYPE ", FOREIGN, STOP, true, JTG_ERR_REFUSED,                             \
      "something foreign is stored under our key")                                                 \
    X("NOSCRIPT", "NOSCRIPT ", SCRIPT, IN_FULL, true, JTG_ERR_REFUSED, "the script is not loaded") \
    X("unknown", "", UNKNOWN, STOP, false, JTG_ERR_REFUSED,                                        \
      "the server answered with an error that is not in our table")

/* What sort of trouble it is. Some are acted on, whatever else the row says. */
enum jtgi_error_class {
    JTGI_CLASS_ROLE,    /* a replica answers where a primary should */
    JTGI_CLASS_BUSY,    /* it cannot answer now: loading, a long script, too many clients */
    JTGI_CLASS_STATE,   /* it takes no writes as it is: its disk, its replicas */
    JTGI_CLASS_FULL,    /* its memory is */
    JTGI_CLASS_CLUSTER, /* of slots and nodes: it says nothing against what a store keeps */
    JTGI_CLASS_ACCESS,  /* we may not: the doctor calls the command denied */
    JTGI_CLASS_FOREIGN, /* our key holds what we did not write */
    JTGI_CLASS_SCRIPT,  /* it is not loaded: sent again with its text */
    JTGI_CLASS_COMMAND, /* it is not there for us: the doctor calls the command unknown */
    JTGI_CLASS_SETUP,   /* what is configured here is not there: a password, a database */
    JTGI_CLASS_UNKNOWN  /* in no row, as what a Sentinel says to a name that it does not know */
};

/* The same question may be asked again, for it has done nothing: */
enum jtgi_error_next {
    JTGI_NEXT_STOP,    /* no: it would be answered alike */
    JTGI_NEXT_PAUSE,   /* a moment later */
    JTGI_NEXT_IN_FULL, /* with the text of the script */
    JTGI_NEXT_REROUTE, /* where Sentinels or Cluster say now; a single server: no */
    JTGI_NEXT_MOVED,   /* of the node that it names, from now on */
    JTGI_NEXT_ASK      /* of the node that it names, this once */
};

struct jtgi_error_row {
    const char *name;
    const char *prefix;
    enum jtgi_error_class class;
    enum jtgi_error_next next;
    bool healthy; /* the connection is as good as before */
    jtg_status status;
    const char *text; /* ours: a server's text may hold keys */
};

/* Never NULL: what no row names is the row "unknown". text need not end with NUL. */
const struct jtgi_error_row *jtgi_error_row_of(const char *text, size_t text_len);

/* The command that an error reply says to be unknown or forbidden, if it is one that we send; else
 * NULL. Ours, static: what the server wrote is not passed on. */
const char *jtgi_error_command_of(const char *text, size_t text_len);

/* A row's text with that command behind it, if it is known. */
enum { JTGI_REFUSAL_BYTES = 160 };
void jtgi_error_explain(const struct jtgi_error_row *row, const char *command,
                        char text[JTGI_REFUSAL_BYTES]);

/* For tests: the rows in order, NULL beyond the last. */
const struct jtgi_error_row *jtgi_error_row_at(size_t index);

const char *jtgi_error_class_name(enum jtgi_error_class class);

/* As the manual says it. */
const char *jtgi_error_next_name(enum jtgi_error_next next);

#endif
