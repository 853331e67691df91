/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a store: how it is made, found and judged, and what stands at its path by now.
 *
 * It lies on a tmpfs: after a reboot it is gone, as what a disk would have kept of it could not be
 * believed. It is made whole, with all its memory reserved, and only then gets its name, so nobody
 * finds a part of one. Who may open it is one trust domain. */
#ifndef JTGI_HOST_FILE_H
#define JTGI_HOST_FILE_H

#include "host/header.h"

#include <sys/types.h>

/* Where, and whose it may be. */
struct jtgi_host_spot {
    const char *path; /* absolute */
    uid_t owner;      /* beside root and this process's user */
    gid_t group;      /* whose members may use it; (gid_t)-1: as its owner has set it */
};

struct jtgi_host_file {
    int descriptor;
    struct jtgi_host_header *header; /* the memory begins with it; NULL: not mapped */
    struct jtgi_host_facts facts;
    dev_t device;
    int64_t moved_ns; /* when it was moved, if since then nobody wrote to it; else 0 */
};

#define JTGI_HOST_FILE_NONE                                                                        \
    {                                                                                              \
        .descriptor = -1                                                                           \
    }

/* Open what stands at the path, if it is safe to use: a file of a tmpfs, of one of these owners,
 * with one name, closed to everybody else, in a folder that others may not change.
 * Returns: JTG_OK · JTG_NOT_FOUND · JTG_ERR_UNSAFE · JTG_ERR_UNAVAILABLE (out of reach) */
jtg_status jtgi_host_file_open(struct jtgi_host_file *file, const struct jtgi_host_spot *spot,
                               jtg_error *err);

/* *wrong: why its content cannot be used, or NULL. Returns: JTG_OK · JTG_ERR_UNSAFE (it is no store
 * of whatever layout, and not empty) · JTG_ERR_SYSTEM */
jtg_status jtgi_host_file_judge(const struct jtgi_host_file *file,
                                const struct jtgi_host_identity *identity, const char **wrong,
                                jtg_error *err);

/* Returns: JTG_OK · JTG_ERR_SYSTEM · JTG_ERR_MEMORY */
jtg_status jtgi_host_file_map(struct jtgi_host_file *file, jtg_error *err);

/* A file without a name, of so many bytes, mapped, its header filled.
 * Returns: JTG_OK · JTG_ERR_UNSAFE (no tmpfs) · JTG_ERR_MEMORY (the tmpfs is full) ·
 * JTG_ERR_UNAVAILABLE (no folder, or it may not be written) · JTG_ERR_SYSTEM */
jtg_status jtgi_host_file_make(struct jtgi_host_file *file, const struct jtgi_host_spot *spot,
                               uint64_t bytes, const struct jtgi_host_identity *identity,
                               jtg_error *err);

/* Give it its name.
 * Returns: JTG_OK · JTG_MISMATCH (something stands there by now) · JTG_ERR_SYSTEM */
jtg_status jtgi_host_file_link(const struct jtgi_host_file *file, const struct jtgi_host_spot *spot,
                               jtg_error *err);

/* The same, in place of what stands there. The caller holds every place of that. */
jtg_status jtgi_host_file_supplant(const struct jtgi_host_file *file,
                                   const struct jtgi_host_spot *spot, jtg_error *err);

/* What stands behind the path in the name that a file has for a moment: like nothing that somebody
 * would call a store. */
#define JTGI_HOST_OTHER_NAME ".jtiguard-new"

/* The same of a file with a name, which then stands at the path with that behind it: nobody can
 * put another file at the path meanwhile without its standing there afterwards.
 * Returns: JTG_OK · JTG_ERR_SYSTEM · JTG_ERR_ARGUMENT (the path is too long) */
jtg_status jtgi_host_file_exchange(const struct jtgi_host_file *file, const char *path,
                                   jtg_error *err);

/* Does the file of this inode, of the same tmpfs, stand there? */
bool jtgi_host_file_was_exchanged(const struct jtgi_host_file *file, const char *path,
                                  uint64_t inode);

/* Remove what stands there. */
void jtgi_host_file_remove_exchanged(const char *path);

enum jtgi_host_at_path {
    JTGI_HOST_AT_PATH_SAME,
    JTGI_HOST_AT_PATH_BACK,  /* the same, and it was elsewhere meanwhile, or may have been */
    JTGI_HOST_AT_PATH_OTHER, /* or nothing: it was removed */
    JTGI_HOST_AT_PATH_UNSEEN /* out of reach: errno says why */
};
enum jtgi_host_at_path jtgi_host_file_look(const struct jtgi_host_file *file, const char *path);

/* Of a file that is mapped and just dated: from now on it stays where it is. */
void jtgi_host_file_stay(const struct jtgi_host_file *file);

/* Take the sign away that it was moved. */
void jtgi_host_file_forget_move(const struct jtgi_host_file *file);

/* Its user goes to another file. Also where somebody has cut it off. */
void jtgi_host_file_leave(const struct jtgi_host_file *file);

/* The mapping is all that is needed from now on. */
void jtgi_host_file_close_descriptor(struct jtgi_host_file *file);

/* Unmap and close. in_child: of a fork, which did not get the mapping. */
void jtgi_host_file_close(struct jtgi_host_file *file, bool in_child);

#endif
