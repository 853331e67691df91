/* SPDX-License-Identifier: Apache-2.0 */
#include "host/attachment.h"

#include "core/alloc.h"
#include "core/error.h"
#include "host/heir.h"
#include "host/parts.h"
#include "host/since.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    TRIES = 50,          /* against others who make, remove and replace at the same time */
    START_WAIT_MS = 5000 /* a count of all entries takes that long in no store */
};

/* The byte of place p is one of the header's; nobody goes by what is in it. */
#define FIRST_BYTE offsetof(struct jtgi_host_header, users)

/* ---- settling in ---- */

static uint32_t patience_ms(const struct jtgi_host_terms *terms)
{
    return terms->is_in_call || terms->lock_wait_ms > START_WAIT_MS ? terms->lock_wait_ms
                                                                    : START_WAIT_MS;
}

static jtg_status take_place(struct jtgi_host_attachment *self, const struct jtgi_host_terms *terms,
                             jtg_error *err)
{
    const struct jtgi_places places = {.fd = self->file.descriptor,
                                       .path = terms->spot.path,
                                       .first_byte = FIRST_BYTE,
                                       .records = self->file.header->users};
    jtg_status status = jtgi_place_take(&self->place, &places, patience_ms(terms), err);
    if (status == JTG_ERR_FULL) { /* of users: the store itself may be empty */
        jtgi_error_begin(err);
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "host store: no place in it is free: %d processes use it, or one that "
                             "begins to was stopped",
                             JTGI_PLACES);
    }
    if (status != JTG_OK)
        return status;
    self->party = (struct jtgi_lock_party){.word = jtgi_place_word(self->place),
                                           .shared = true,
                                           .wait_ms = terms->lock_wait_ms,
                                           .is_dead = jtgi_place_is_dead,
                                           .context = self->place};
    return JTG_OK;
}

static jtg_status open_parts(struct jtgi_host_attachment *self, const struct jtgi_host_parts *parts,
                             jtg_error *err)
{
    struct jtgi_host_header *header = self->file.header;
    self->table = jtgi_table_open(jtgi_host_table_of(header), &parts->table, &self->party);
    self->values =
        jtgi_value_area_open(jtgi_host_values_of(parts, header), &parts->values, &self->party);
    return self->table != NULL && self->values != NULL
               ? JTG_OK
               : jtg_error_set(err, JTG_ERR_MEMORY, 0, "host store: no memory for a handle");
}

/* Who is alone, and nobody comes before it settles, counts anew what the dead left counted. */
static void repair(struct jtgi_host_attachment *self, const jtg_clock *clock)
{
    _Atomic uint32_t *noted = &self->file.header->users_noted;
    self->emptied =
        jtgi_table_mend(self->table, jtgi_host_now(self, jtgi_clock_monotonic_ms(clock))) +
        !jtgi_value_area_mend(self->values);
    if (jtgi_place_is_alone(self->place) && atomic_load(noted) != 0) {
        jtgi_table_recount(self->table);
        atomic_store(noted, 0);
    }
    atomic_fetch_add(noted, 1);
    self->is_noted = true;
}

/* ---- a new file ---- */

/* Everything that others will find, before the file has a name. */
static jtg_status furnish(struct jtgi_host_attachment *self, const struct jtgi_host_terms *terms,
                          const struct jtgi_host_parts *parts, jtg_error *err)
{
    struct jtgi_host_header *header = self->file.header;
    header->epoch_ms = jtgi_clock_monotonic_ms(terms->clock);
    jtgi_host_parts_note(parts, header);
    jtgi_table_format(jtgi_host_table_of(header), &parts->table);
    jtgi_value_area_format(jtgi_host_values_of(parts, header), &parts->values);
    jtg_status status = take_place(self, terms, err);
    if (status == JTG_OK)
        status = jtgi_place_settle(self->place, err);
    if (status != JTG_OK)
        return status;
    atomic_store(&header->dating, self->party.word);
    atomic_store(&header->users_noted, 1);
    self->is_noted = true;
    return open_parts(self, parts, err);
}

static jtg_status make_file(struct jtgi_host_attachment *self, const struct jtgi_host_terms *terms,
                            const struct jtgi_host_identity *identity, jtg_error *err)
{
    struct jtgi_host_parts parts;
    jtgi_table_plan(&parts.table, terms->max_entries, terms->max_entries_per_group, false);
    jtgi_host_parts_plan(&parts, terms->max_values, terms->max_value_bytes);
    jtg_status status = jtgi_host_file_make(&self->file, &terms->spot, parts.bytes, identity, err);
    return status == JTG_OK ? furnish(self, terms, &parts, err) : status;
}

/* From now on others may be in it, and wait for its date. */
static void date_new(struct jtgi_host_attachment *self, const struct jtgi_host_terms *terms)
{
    jtgi_host_file_stay(&self->file);
    const struct jtgi_moment now = jtgi_moment_now(terms->clock);
    jtgi_host_since_note(self->file.header, &now);
    jtgi_host_since_date(self->file.header, now.monotonic_ms);
    jtgi_lock_leave(&self->file.header->dating, &self->party);
    self->made = true;
}

static jtg_status found(struct jtgi_host_attachment *self, const struct jtgi_host_terms *terms,
                        const struct jtgi_host_identity *identity, jtg_error *err)
{
    if (terms->must_exist)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, ENOENT, "host store: there is none at %s",
                             terms->spot.path);
    jtg_status status = make_file(self, terms, identity, err);
    if (status != JTG_OK)
        return status;
    atomic_store(&self->looked_ms, jtgi_clock_monotonic_ms(terms->clock));
    status = jtgi_host_file_link(&self->file, &terms->spot, err);
    if (status == JTG_OK)
        date_new(self, terms);
    return status;
}

/* One of them, for the message. */
static jtg_status say_in_use(const struct jtgi_host_file *old, const char *wrong, jtg_error *err)
{
    struct jtgi_place_record user = {.pid = 0};
    struct flock taken = {.l_type = F_WRLCK,
                          .l_whence = SEEK_SET,
                          .l_start = (off_t)FIRST_BYTE,
                          .l_len = JTGI_PLACES};
    (void)fcntl(old->descriptor, F_OFD_GETLK, &taken);
    off_t index = taken.l_start - (off_t)FIRST_BYTE;
    off_t at = (off_t)FIRST_BYTE + index * (off_t)sizeof user;
    if (pread(old->descriptor, &user, sizeof user, at) != (ssize_t)sizeof user)
        atomic_store(&user.pid, 0);
    user.name[sizeof user.name - 1] = '\0';
    return jtg_error_set(err, JTG_ERR_UNSAFE, 0, "host store: %s, and in use, by process %u (%s)",
                         wrong, (unsigned)atomic_load(&user.pid), user.name);
}

/* Who takes a place later than this looks at the path again, and finds the new file. */
static jtg_status supplant(struct jtgi_host_attachment *self, struct jtgi_host_file *old,
                           const char *wrong, const struct jtgi_host_terms *terms,
                           const struct jtgi_host_identity *identity, jtg_error *err)
{
    const struct jtgi_places places = {.fd = old->descriptor, .first_byte = FIRST_BYTE};
    if (!jtgi_places_take_all(&places))
        return say_in_use(old, wrong, err);
    enum jtgi_host_at_path there = jtgi_host_file_look(old, terms->spot.path);
    if (there != JTGI_HOST_AT_PATH_SAME && there != JTGI_HOST_AT_PATH_BACK)
        return JTG_MISMATCH;
    if (terms->must_exist)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, ENOENT,
                             "host store: there is none at %s: what stands there is none, for %s",
                             terms->spot.path, wrong);
    jtg_status status = make_file(self, terms, identity, err);
    if (status != JTG_OK)
        return status;
    atomic_store(&self->looked_ms, jtgi_clock_monotonic_ms(terms->clock));
    status = jtgi_host_file_supplant(&self->file, &terms->spot, err);
    if (status == JTG_OK)
        date_new(self, terms);
    self->replaced = wrong;
    return status;
}

/* ---- one that is there ---- */

static jtg_status read_parts(const struct jtgi_host_file *file, struct jtgi_host_parts *parts,
                             jtg_error *err)
{
    if (jtgi_host_parts_read(parts, file->header, file->facts.bytes))
        return JTG_OK;
    return jtg_error_set(err, JTG_ERR_UNSAFE, 0, "host store: its size does not fit its contents");
}

/* A maker may be about to date it, on a machine that has much to do: a start has more patience
 * than a call. */
static struct jtgi_lock_party patient_party(const struct jtgi_host_attachment *self,
                                            const struct jtgi_host_terms *terms)
{
    struct jtgi_lock_party patient = self->party;
    patient.wait_ms = patience_ms(terms);
    return patient;
}

static void date_anew_locked(struct jtgi_host_attachment *self, const jtg_clock *clock)
{
    struct jtgi_host_header *header = self->file.header;
    if (atomic_load(&header->left) == 0)
        return; /* another was quicker */
    bool is_dated = atomic_exchange(&header->since_ms, JTGI_HOST_UNDATED) != JTGI_HOST_UNDATED;
    jtgi_host_file_stay(&self->file);
    if (is_dated)
        jtgi_host_since_date(header, jtgi_clock_monotonic_ms(clock));
}

/* What others have admitted by another file, while this one was elsewhere, it does not know. */
static jtg_status date_anew_if_left(struct jtgi_host_attachment *self,
                                    const struct jtgi_host_terms *terms)
{
    struct jtgi_host_header *header = self->file.header;
    const struct jtgi_lock_party patient = patient_party(self, terms);
    if (atomic_load(&header->left) == 0)
        return JTG_OK;
    if (jtgi_lock_take(&header->dating, &patient) == JTGI_LOCK_BLOCKED)
        return JTG_ERR_BLOCKED;
    date_anew_locked(self, terms->clock);
    jtgi_lock_leave(&header->dating, &patient);
    return JTG_OK;
}

static jtg_status wait_for_date(struct jtgi_host_attachment *self,
                                const struct jtgi_host_terms *terms)
{
    const struct jtgi_lock_party patient = patient_party(self, terms);
    int64_t since_ms = 0;
    return jtgi_host_since_read(self->file.header, &patient, terms->clock, &since_ms);
}

/* Could it have been elsewhere since it was opened, for long enough that another file has admitted
 * something? That would not be seen any more. */
static bool took_too_long(const struct jtgi_host_attachment *self, const jtg_clock *clock)
{
    return !jtgi_host_attachment_is_fresh(self, jtgi_clock_monotonic_ms(clock));
}

/* The mark comes first: to write anything to the file takes from others the sign that it was moved.
 * An heir was moved, to where it stands; whether it stayed there since is a part of its proof. */
static jtg_status come_to_stay(struct jtgi_host_attachment *self,
                               const struct jtgi_host_terms *terms, jtg_error *err)
{
    if (jtgi_host_heir_was_moved(self))
        atomic_store(&self->file.header->left, 1);
    jtg_status status = take_place(self, terms, err);
    const struct jtgi_lock_party patient = patient_party(self, terms);
    if (status == JTG_OK)
        status = jtgi_host_heir_prove(self, &patient, terms->clock);
    if (status == JTG_OK)
        status = date_anew_if_left(self, terms);
    if (status != JTG_OK)
        return status;
    if (took_too_long(self, terms->clock))
        return JTG_MISMATCH;
    atomic_store(&self->looked_ms, jtgi_clock_monotonic_ms(terms->clock));
    return jtgi_host_file_look(&self->file, terms->spot.path) == JTGI_HOST_AT_PATH_SAME
               ? JTG_OK
               : JTG_MISMATCH;
}

static jtg_status settle_in(struct jtgi_host_attachment *self, const struct jtgi_host_terms *terms,
                            jtg_error *err)
{
    struct jtgi_host_parts parts;
    jtg_status status = read_parts(&self->file, &parts, err);
    if (status == JTG_OK)
        status = come_to_stay(self, terms, err);
    if (status != JTG_OK)
        return status;
    status = open_parts(self, &parts, err);
    if (status == JTG_OK)
        status = wait_for_date(self, terms);
    if (status != JTG_OK)
        return status;
    repair(self, terms->clock);
    return jtgi_place_settle(self->place, err);
}

static jtg_status use(struct jtgi_host_attachment *self, struct jtgi_host_file *file,
                      const struct jtgi_host_terms *terms,
                      const struct jtgi_host_identity *identity, jtg_error *err)
{
    const char *wrong = NULL;
    jtg_status status = jtgi_host_file_judge(file, identity, &wrong, err);
    if (status == JTG_OK && wrong != NULL)
        status = supplant(self, file, wrong, terms, identity, err);
    else if (status == JTG_OK) {
        self->file = *file;
        file->descriptor = -1;
        status = jtgi_host_file_map(&self->file, err);
        if (status == JTG_OK)
            status = settle_in(self, terms, err);
    }
    jtgi_host_file_close(file, false);
    return status;
}

static jtg_status try_once(struct jtgi_host_attachment *self, const struct jtgi_host_terms *terms,
                           jtg_error *err)
{
    struct jtgi_host_identity identity;
    struct jtgi_host_file file;
    self->path = jtgi_strdup(terms->spot.path);
    if (self->path == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "host store: no memory to open it");
    jtg_status status = jtgi_host_identity_read(&identity, "/proc", err);
    if (status != JTG_OK)
        return status;
    atomic_store(&self->looked_ms, jtgi_clock_monotonic_ms(terms->clock));
    status = jtgi_host_file_open(&file, &terms->spot, err);
    if (status == JTG_NOT_FOUND)
        return found(self, terms, &identity, err);
    return status == JTG_OK ? use(self, &file, terms, &identity, err) : status;
}

jtg_status jtgi_host_attach(struct jtgi_host_attachment **attachment,
                            const struct jtgi_host_terms *terms, jtg_error *err)
{
    *attachment = NULL;
    for (int tries = 0; tries < TRIES; tries++) {
        struct jtgi_host_attachment *self = jtgi_alloc_apart(sizeof *self);
        if (self == NULL)
            return jtg_error_set(err, JTG_ERR_MEMORY, 0, "host store: no memory to open it");
        self->file = (struct jtgi_host_file)JTGI_HOST_FILE_NONE;
        jtg_status status = try_once(self, terms, err);
        if (status == JTG_OK) {
            jtgi_host_file_close_descriptor(&self->file);
            *attachment = self;
            return JTG_OK;
        }
        jtgi_host_detach(self, false);
        if (status != JTG_MISMATCH)
            return status;
    }
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                         "host store: others make and remove it all the time");
}

/* ---- looks at the path ---- */

bool jtgi_host_attachment_is_fresh(const struct jtgi_host_attachment *attachment, int64_t now_ms)
{
    return now_ms - atomic_load(&attachment->looked_ms) <= JTGI_HOST_LOOK_MS;
}

void jtgi_host_attachment_note_look(struct jtgi_host_attachment *attachment, int64_t looked_ms)
{
    int64_t last_ms = atomic_load(&attachment->looked_ms);
    while (looked_ms > last_ms &&
           !atomic_compare_exchange_weak(&attachment->looked_ms, &last_ms, looked_ms))
        continue;
}

/* ---- the end ---- */

/* What the lent pieces hold goes along, for who comes from there to the new store asks them. By a
 * call, and not through the mapping: where somebody has cut off the file, that would be the end of
 * the process, and this reads nothing. */
static void keep_what_is_lent(void *empty, struct jtgi_place *place)
{
    const size_t bytes = offsetof(struct jtgi_host_header, users);
    if (!jtgi_place_read(place, empty, bytes))
        memset(empty, 0, bytes);
}

void jtgi_host_attachment_retire(struct jtgi_host_attachment *attachment)
{
    attachment->is_noted = false;
    attachment->is_retired = true;
    size_t bytes = attachment->file.facts.bytes;
    void *empty = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (empty == MAP_FAILED)
        return;
    keep_what_is_lent(empty, attachment->place);
    if (mremap(empty, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, attachment->file.header) !=
        MAP_FAILED)
        jtgi_place_leave(attachment->place); /* its page and its descriptor hold the file, too */
}

void jtgi_host_detach(struct jtgi_host_attachment *attachment, bool in_child)
{
    if (attachment->is_noted && !in_child)
        atomic_fetch_sub(&attachment->file.header->users_noted, 1);
    if (attachment->table != NULL)
        jtgi_table_close(attachment->table);
    jtgi_value_area_close(attachment->values);
    jtgi_place_free(attachment->place, in_child);
    jtgi_host_file_close(&attachment->file, in_child);
    jtgi_free(attachment->path);
    jtgi_free(attachment);
}
