/* SPDX-License-Identifier: Apache-2.0 */
/* Where the store lies when nobody says.
 *
 * The host's folder, as soon as there is one: who may not use it is refused, and does not go
 * elsewhere, for two stores would admit a token twice. Where there is none, root makes it, and any
 * other user has a store of his own in the folder of his session. Whoever is there leaves it as
 * soon as the host's folder appears: no store in that can be older than the folder. */
#ifndef JTGI_HOST_STORE_PATH_H
#define JTGI_HOST_STORE_PATH_H

#include <jtiguard/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The system's: "/run", "jtiguard-host", "user". */
struct jtgi_store_places {
    const char *run;    /* a tmpfs */
    const char *folder; /* the host's, in it */
    const char *users;  /* in it: a folder for each user who has a session */
};
extern const struct jtgi_store_places jtgi_store_places_system;

/* *is_users_own: it is not the host's. may_make: folders that are not there.
 * Returns: JTG_OK · JTG_ERR_UNAVAILABLE (there is no place) */
jtg_status jtgi_store_path_choose(char *path, size_t path_size, bool *is_users_own,
                                  const struct jtgi_store_places *places, uid_t user, bool may_make,
                                  jtg_error *err);

/* Is there a folder of the host's by now? In doubt, yes. */
bool jtgi_store_path_is_outdated(const struct jtgi_store_places *places);

#endif
