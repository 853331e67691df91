/* SPDX-License-Identifier: Apache-2.0 */
/** @file redis.h
 * The Redis backend: one store for many processes and hosts. Redis 6.2 and later, or Valkey.
 *
 * A reserve is one `SET key owner NX PX ttl`, one round trip. Any number of threads share one
 * connection: the calls that arrive while a round trip is under way go out together in the
 * next one. A thread that calls alone pays no hand-over; there is no background thread.
 *
 * Deadline. Every call ends within timeout_ms, which covers queueing, resolving, connecting,
 * TLS, logging in, writing and reading together (jtg_cache_count() and jtg_cache_clear():
 * walk_timeout_ms). No call hangs, however the server or the network behaves.
 *
 * Unknown outcomes. When a connection is lost after a reserve was written, the backend asks
 * again on a new connection with the same owner, as long as time is left; the answer decides.
 * Else it answers JTG_ERR_TIMEOUT. On a connection that nobody used for a second the first question
 * gets half of the time, so that one which was forgotten on the way costs half of a call and no
 * refusal. A release is asked again only when the server ended the connection; its JTG_OK then says
 * that the key is free, by this release or because its time ended meanwhile. After a mere timeout
 * its first copy may still arrive, and would take a later reservation of the same owner with it: it
 * answers JTG_ERR_TIMEOUT. put, take, swap and drop are never repeated, and answer likewise.
 *
 * Store down. After a failed connection attempt calls fail at once with the cause, until a
 * pause (25 … 500 ms, growing, with jitter) has passed; then one caller tries again. The
 * backend recovers by itself, and making a cache never needs the server.
 *
 * Unsafe stores. At every connect the server's INFO is read, and a server that may forget a
 * live entry is refused with JTG_ERR_UNSAFE: one that evicts (maxmemory with any policy but
 * noeviction), or one that does not say. A replica, a server that is loading its data set and
 * a server of another topology than the options name are refused too.
 *
 * Continuity. The cache watches its store: a marker in the store says since when this very
 * server (its run id and replication id) has kept everything, and every round trip proves that it
 * still does. A restart, a failover, a flush, an eviction and an exchanged server are noticed by
 * every instance before the next token is admitted; see jtg_cache_reserve_kept() and
 * docs/continuity.md, which also says what cannot be noticed.
 *
 * Topologies. One server; a primary that Sentinels name; or a Cluster. In a Cluster each node has
 * connections and a back-off of its own, and each slot a marker.
 *
 * Threads that are cancelled (pthread_cancel()) end after the call, not in it.
 *
 * What this backend cannot promise: where a network partition leaves clients on both sides, the old
 * primary goes on admitting beside the new one until it notices. `replicas` closes that, if
 * only one side can reach so many.
 */
#ifndef JTIGUARD_REDIS_H
#define JTIGUARD_REDIS_H

#include <jtiguard/cache.h>
#include <jtiguard/clock.h>
#include <jtiguard/log.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Defaults and ranges of the options; the code uses these names. */
#define JTG_REDIS_HOST_DEFAULT "127.0.0.1"
enum {
    JTG_REDIS_PORT_DEFAULT = 6379,
    JTG_REDIS_TIMEOUT_MS_DEFAULT = 500,
    JTG_REDIS_TIMEOUT_MS_LIMIT = 60000,
    JTG_REDIS_WALK_TIMEOUT_MS_DEFAULT = 30000,
    JTG_REDIS_WALK_TIMEOUT_MS_LIMIT = 3600000,
    JTG_REDIS_CONNECTIONS_DEFAULT = 1,
    JTG_REDIS_CONNECTIONS_LIMIT = 16,
    JTG_REDIS_KEEPALIVE_S_DEFAULT = 30,
    JTG_REDIS_KEEPALIVE_S_LIMIT = 7200,
    JTG_REDIS_MAX_AGE_S_DEFAULT = 300,
    JTG_REDIS_MAX_AGE_S_LIMIT = 86400,
    JTG_REDIS_DATABASE_LIMIT = 65535,
    JTG_REDIS_PREFIX_MAX_BYTES = 128,
    JTG_REDIS_TEXT_MAX_BYTES = 1024,      /**< Longest host, path, user, name or list. */
    JTG_REDIS_PASSWORD_MAX_BYTES = 16384, /**< Longest password. */
    JTG_REDIS_ADDRESS_MAP_MAX_BYTES = 16384,
    JTG_REDIS_ADDRESSES_LIMIT = 32, /**< Most Sentinels, or first nodes of a Cluster. */
    JTG_REDIS_NODES_LIMIT = 128,    /**< Most primaries of a Cluster. */
    JTG_REDIS_REPLICAS_LIMIT = 32,
    JTG_REDIS_ENTRIES_PER_GROUP_LIMIT = 1000000000
};

/** Options of a Redis cache. Start from JTG_REDIS_OPTIONS_INIT or jtg_redis_options_init().
 *
 * Every string is copied, and none but prefix may be empty; the copy of the password is wiped when
 * the cache is freed. */
typedef struct jtg_redis_options {
    size_t struct_size; /**< sizeof(jtg_redis_options). */

    /** Name or numeric address of the server. NULL (default): 127.0.0.1. A name is resolved
     * at every connect, on a thread of its own, because the system's resolver has no bound. Of
     * several addresses the first that leads to a server that serves is used: a replica, or one
     * that loads its data, is passed over. */
    const char *host;
    uint32_t port; /**< 1 … 65535, default 6379. */

    /** Path of a unix socket, in place of host and port. NULL (default): none. */
    const char *unix_path;

    const char *user;     /**< ACL user. NULL (default): the server's default user. */
    const char *password; /**< NULL (default): no login. Not with password_file. */

    /** File that holds the password; one line end at its end is dropped. Read when the cache is
     * made, and again for each new connection, so that a new password is taken without a restart.
     * While it is missing, empty or unreadable then, the password that it held last is used, and
     * that is logged. Exchange it by rename(2). What is no plain file, a pipe, is read once. NULL
     * (default): none. */
    const char *password_file;

    /** Database number, 0 (default) … 65535. A Redis Cluster has only 0, one of Valkey 9 as many as
     * its cluster-databases says; others are refused with JTG_ERR_REFUSED when connected to. */
    uint32_t database;
    const char *client_name; /**< Shown by CLIENT LIST; no spaces. NULL (default): not sent. */

    /** Start of every key of this cache, its namespace, 0 … 128 bytes. NULL (default): empty.
     * A reservation is stored at exactly prefix + key. jtg_cache_clear() is refused with
     * JTG_ERR_ARGUMENT when it is empty, and jtg_cache_count() then counts the whole
     * database. Two caches on one database need prefixes of which none starts the other. */
    const char *prefix;

    /** Longest time of a call, milliseconds. 1 … 60,000, default 500. */
    uint32_t timeout_ms;

    /** Longest time of one attempt to connect, TLS and login included, within timeout_ms.
     * 0 (default) = timeout_ms; else 1 … 60,000. */
    uint32_t connect_timeout_ms;

    /** Longest time of jtg_cache_count() and jtg_cache_clear(), of which no single question to
     * the server takes longer than timeout_ms. 1 … 3,600,000, default 30,000. */
    uint32_t walk_timeout_ms;

    /** Connections that the callers share. 1 (default) … 16. One serves hundreds of threads;
     * more help where one core of this process or one socket is the limit. */
    uint32_t connections;

    /** Idle time before TCP keepalive probes, seconds; 0 = none … 7,200, default 30. */
    uint32_t keepalive_s;

    /** 1: use a server that may evict live entries. **Each entry that it evicts can be
     * admitted again.** Logged as an error at every connect. 0 (default): JTG_ERR_UNSAFE. */
    uint32_t allow_eviction;

    /** 1: TLS, at least 1.2, with the server's certificate and name verified. 0 (default).
     * A build without TLS answers JTG_ERR_UNSUPPORTED and never talks in clear. */
    uint32_t tls;
    const char *tls_ca_file; /**< PEM. NULL (default): the system's authorities. All three files are
                              * loaded again for the next connection when they have changed; what
                              * cannot be used then leaves what they held, and is logged. */
    const char *tls_cert_file; /**< Client certificate chain, PEM; with tls_key_file. */
    const char *tls_key_file;  /**< Its key, PEM. NULL (default): none. */

    /** Name that the certificate must carry, also sent as SNI. NULL (default): host; with
     * unix_path it is mandatory. */
    const char *tls_server_name;

    /** The clock of the back-off, of what is logged once in a while, and of continuity's markers;
     * deadlines always use CLOCK_MONOTONIC, for they bound real waits. NULL (default) = the
     * system's. Copied. */
    const jtg_clock *clock;

    /** Told of connects, losses and unsafe stores. NULL (default) = silence. Copied. */
    const jtg_logger *logger;

    /** Sentinels that name the primary, "host[:port],host[:port],…" (port 26379, IPv6 in brackets),
     * in place of host, port and unix_path; with sentinel_primary. List all that there are: more
     * than half of the list must answer, for a minority can be cut off with an old primary. Each
     * counts once, by its SENTINEL MYID (its run id where its user may not ask): an entry that
     * stands twice is JTG_ERR_ARGUMENT, and one that is another name of a Sentinel adds no voice. A
     * name with several addresses stands for all of them; how many Sentinels there are is then what
     * they say themselves, as with a list of one entry. Only those that know one another count, so
     * that a Sentinel of another deployment is not believed; one whose user may not ask SENTINEL
     * SENTINELS agrees with all. NULL (default): none. */
    const char *sentinels;
    const char *sentinel_primary;       /**< The name that the Sentinels know the primary by. */
    const char *sentinel_user;          /**< ACL user at the Sentinels. NULL (default): none. */
    const char *sentinel_password;      /**< Their password. NULL (default): no login. */
    const char *sentinel_password_file; /**< File that holds it, as password_file. */

    /** 1: TLS to the Sentinels, with the certificates above; needs no tls. The name that their
     * certificates must carry is the host of the list. 0 (default): in clear. */
    uint32_t sentinel_tls;

    /** Some nodes of a Cluster, "host[:port],…" (port 6379), in place of host, port and unix_path.
     * The others are learnt from them, and reached with the same login and TLS. Before the first
     * map is believed those that answer must know one another, two at least where two are named:
     * name three, or a name with all their addresses. An entry that stands twice is
     * JTG_ERR_ARGUMENT. NULL (default): no Cluster. Each node is reached by the endpoint that the
     * Cluster prefers (cluster-preferred-endpoint-type). With TLS its certificate must carry that
     * endpoint, or the name or address that the Cluster states beside it, or tls_server_name. */
    const char *cluster_nodes;

    /** Replicas that must have confirmed a write before it counts (WAIT, on the same connection).
     * Fewer answer JTG_ERR_REPLICAS: the reservation stays, so that nobody else is admitted, and
     * asking again with its owner can still succeed. 0 (default) … 32. */
    uint32_t replicas;

    /** Longest wait for them, milliseconds, within timeout_ms. 0 (default) = half of timeout_ms. */
    uint32_t replicas_timeout_ms;

    /** 1: a write counts only when it is on disk too (WAITAOF 1 replicas; Redis 7.2, Valkey), on
     * the primary and on as many replicas. A server without WAITAOF or without an append-only file
     * answers JTG_ERR_UNSAFE. 0 (default). */
    uint32_t fsync;

    /** 0: do not watch the store. **A store that forgets then admits used tokens again,
     * unnoticed.** 1 (default): watch it. */
    uint32_t continuity;

    /** Where addresses that Sentinels or a Cluster announce are reached from here (containers,
     * translated networks): "from-host[:port]=to-host[:port],…", IPv6 in brackets. An entry without
     * a port means every port, and one with it goes before; the other side without a port keeps it.
     * It holds for every connection, also to the addresses and names of these options. The name
     * that a certificate must carry is the one from before. An entry that stands twice is an error.
     * Up to 16,384 bytes. NULL (default): none. */
    const char *address_map;

    /** Seconds after which it is looked at whether a connection still leads to where its address
     * does: a name is looked up again, and the connection is left, between two round trips, when
     * its server is no longer among the addresses of the name; a unix socket when another one has
     * its path. No call waits for the look-up, unless the connection was idle for as long again,
     * and one that fails changes nothing. Between three quarters of it and all of it, drawn each
     * time. 0: never. 0 … 86,400, default 300. */
    uint32_t max_age_s;

    /** Most reservations of one group (issuer); beyond it JTG_ERR_GROUP_FULL. 0 (default) = no
     * limit … 1,000,000,000. The count lies in the store and is that of all instances: give all of
     * them the same. It is taken together with the reservation, in one step on the server; nothing
     * is evicted, and who has his reservation already is not refused. A place comes back with a
     * release and with the reservation's end.
     *
     * In a Cluster each slot has a share of its own, a little more than the 16,384th part
     * (docs/redis.md), unless the prefix puts all keys into one slot by a hash tag. */
    uint64_t max_entries_per_group;
} jtg_redis_options;

#define JTG_REDIS_OPTIONS_INIT                                                                     \
    {                                                                                              \
        sizeof(jtg_redis_options), NULL, JTG_REDIS_PORT_DEFAULT, NULL, NULL, NULL, NULL, 0, NULL,  \
            NULL, JTG_REDIS_TIMEOUT_MS_DEFAULT, 0, JTG_REDIS_WALK_TIMEOUT_MS_DEFAULT,              \
            JTG_REDIS_CONNECTIONS_DEFAULT, JTG_REDIS_KEEPALIVE_S_DEFAULT, 0, 0, NULL, NULL, NULL,  \
            NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, 0, 0, 0, 1, NULL,             \
            JTG_REDIS_MAX_AGE_S_DEFAULT, 0                                                         \
    }

/** Set every option to its default; the same as JTG_REDIS_OPTIONS_INIT. */
JTG_API void jtg_redis_options_init(jtg_redis_options *options);

/** Make a Redis cache. Connects only when it is first used, so the server may be down.
 *
 * options: NULL = all defaults. A value out of its range is an error and not clamped.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_SYSTEM (no randomness, or a
 *          file cannot be read) · JTG_ERR_UNSUPPORTED (TLS asked for, built without)
 * Owns:    *cache returned, free with jtg_cache_free(); NULL on failure · options borrowed
 *          for the call · err borrowed, may be NULL
 * Threads: any   Blocks: reading the named files, never on the network
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_redis_new(jtg_cache **cache,
                                                 const jtg_redis_options *options, jtg_error *err);

/** Which form of key a URI asks for. The backend does not act on it: the guard does. */
typedef enum jtg_redis_keys {
    JTG_REDIS_KEYS_UNSET = 0,  /**< The URI does not say. */
    JTG_REDIS_KEYS_DIGEST = 1, /**< keys=digest: JTG_KEY_DIGEST. */
    JTG_REDIS_KEYS_PLAIN = 2   /**< keys=plain: JTG_KEY_PLAIN. */
} jtg_redis_keys;

/** A URI that was read. Opaque. */
typedef struct jtg_redis_uri jtg_redis_uri;

/** Read the URI of a store.
 *
 *     redis://[user[:password]@]host[:port][/database][?key=value&…]
 *     rediss://…                      the same over TLS
 *     unix://[user[:password]@]/path/of/socket[?db=number&key=value&…]
 *     redis+sentinel://[user[:password]@]host[:port][,host[:port]…]/primary-name[/database][?…]
 *     rediss+sentinel://…             TLS to the Sentinels and to the primary
 *     redis+cluster://[user[:password]@]host[:port][,host[:port]…][/database][?…]
 *     rediss+cluster://…
 *
 * `valkey` may stand for `redis`, `valkeys` for `rediss`, and `-` for `+`.
 *
 * An IPv6 address stands in brackets. Every part may be percent-encoded. Keys: `timeout`,
 * `connect_timeout` (a number with `ms` or `s`), `keepalive`, `max_age` (with `s`), `prefix`,
 * `keys`
 * (`digest`, `plain`), `connections`, `db`, `ca`, `cert`, `key`, `server_name`, `client_name`,
 * `password_file`, `allow_eviction`, `continuity`, `fsync` (`yes`, `no`), `replicas`,
 * `replicas_timeout`, `address_map`, `issuer_share` (max_entries_per_group); with Sentinels
 * `sentinel_user`, `sentinel_password_file`, `sentinel_tls` (`yes`, `no`; default as the scheme
 * says). User and password of the URI are the primary's. An unknown, empty or repeated key is an
 * error, so that a typo never weakens anything. No error text holds a part of the URI but the name
 * of a key.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_UNSUPPORTED
 * Owns:    *uri returned, free with jtg_redis_uri_free(); NULL on failure · text borrowed for
 *          the call · err borrowed, may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_redis_uri_parse(jtg_redis_uri **uri, const char *text,
                                                       jtg_error *err);

/** The options that a URI stands for. A caller copies the struct to add a clock or a logger,
 * or to move `prefix` to a guard's key_prefix.
 *
 * Returns: borrowed until jtg_redis_uri_free(), with every string in it. */
JTG_API const jtg_redis_options *jtg_redis_uri_options(const jtg_redis_uri *uri);

/** The form of key that a URI asks for. */
JTG_API jtg_redis_keys jtg_redis_uri_keys(const jtg_redis_uri *uri);

/** Wipe and free. NULL does nothing. */
JTG_API void jtg_redis_uri_free(jtg_redis_uri *uri);

/** Make a Redis cache from a URI: jtg_redis_uri_parse() and jtg_redis_new(). `prefix` becomes
 * the cache's prefix; `keys` has no effect. A prefix with keys=plain is refused: plain keys meet
 * those of other verifiers only when that prefix is the guard's key_prefix and the cache's is
 * empty.
 *
 * Returns: as those two.
 * Owns:    *cache returned, free with jtg_cache_free(); NULL on failure · uri borrowed for the
 *          call · err borrowed, may be NULL
 * Threads: any   Blocks: reading the named files, never on the network
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_redis_new_uri(jtg_cache **cache, const char *uri,
                                                     jtg_error *err);

/** Was this build made with TLS? 1 or 0. */
JTG_API int jtg_redis_has_tls(void);

/** A count or time that is not known. */
#define JTG_REDIS_UNSTATED UINT64_MAX

/** What a cache noticed of its store. */
typedef enum jtg_redis_loss {
    JTG_REDIS_LOSS_NONE = 0,
    JTG_REDIS_LOSS_NO_MARKER = 1, /**< No marker: new, flushed, or restarted empty. */
    JTG_REDIS_LOSS_RESTARTED = 2, /**< The marker is of an earlier start or of another server. */
    /** The server was a replica since the marker was written, its Sentinels named it anew, or it
     * began its replication anew. */
    JTG_REDIS_LOSS_PROMOTED = 3,
    JTG_REDIS_LOSS_FLUSHED = 4, /**< The marker vanished or changed under a living connection. */
    JTG_REDIS_LOSS_EVICTED = 5, /**< The server has evicted keys since the marker was written. */
    /** This process relied on another server since the marker's time: several servers answer behind
     * one address, or it led elsewhere and back. */
    JTG_REDIS_LOSS_EXCHANGED = 6
} jtg_redis_loss;

/** Name of a loss, e.g. "restarted"; "unknown" for a value that is none. Borrowed, static. */
JTG_API const char *jtg_redis_loss_name(jtg_redis_loss loss);

/** What a Redis cache has done since it was made. */
typedef struct jtg_redis_stats {
    size_t struct_size;        /**< sizeof(jtg_redis_stats), set by the caller. */
    uint64_t up;               /**< 1: the last contact worked, or there was none yet. 0: down. */
    uint64_t connects;         /**< Connections made, gate passed. */
    uint64_t connect_failures; /**< Attempts that failed. */
    uint64_t poisoned;         /**< Connections closed because something about them was in doubt. */
    uint64_t requests;         /**< Commands sent for callers. */
    uint64_t batches;          /**< Round trips that carried them. */
    uint64_t max_batch;        /**< Most commands that one round trip carried. */
    uint64_t unknown;          /**< Commands whose outcome was unknown when a connection broke. */
    uint64_t asked_again;      /**< Commands repeated with the same owner to settle that. */
    uint64_t expired;          /**< Callers whose deadline passed before an answer came. */
    uint64_t refused_at_once;  /**< Calls that failed at once because the store was known down. */
    uint64_t primary_changes;  /**< Times that Sentinels or Cluster named another primary. */
    uint64_t redirects;        /**< MOVED and ASK that were followed. */
    uint64_t too_few_replicas; /**< Writes that too few replicas confirmed in time. */
    uint64_t watches;          /**< 1: continuity is watched. */
    uint64_t losses;           /**< Times that the store was found to have forgotten. */
    /** Since when all of the store known so far has kept everything, wall clock, milliseconds since
     * 1970; JTG_REDIS_UNSTATED before the first contact. */
    uint64_t kept_since_ms;
    jtg_redis_loss last_loss; /**< What was noticed last. */
} jtg_redis_stats;

/** Read the numbers of a Redis cache.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (no Redis cache) · JTG_ERR_FORKED
 * Owns:    stats borrowed; only the first struct_size bytes are written · err may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_redis_stats_get(jtg_cache *cache, jtg_redis_stats *stats,
                                                       jtg_error *err);

/** What a server says about itself, for `jtiguard doctor`. Texts are empty where it did not say. */
typedef struct jtg_redis_server {
    size_t struct_size;          /**< sizeof(jtg_redis_server), set by the caller. */
    char software[16];           /**< "redis", "valkey" or "redict". */
    char version[24];            /**< e.g. "7.0.15". */
    char mode[16];               /**< "standalone", "cluster" or "sentinel". */
    char role[16];               /**< "master" or "slave". */
    char run_id[48];             /**< New at every start of the server. */
    char policy[24];             /**< maxmemory-policy. */
    char missing_commands[192];  /**< Commands that the ACL denies, blank between; empty: none. */
    uint64_t loading;            /**< 1: still reading its data set. */
    uint64_t maxmemory_bytes;    /**< 0: no limit. */
    uint64_t used_memory_bytes;  /**< In use now. */
    uint64_t evicted_keys;       /**< Since its start; anything but 0 has forgotten entries. */
    uint64_t uptime_s;           /**< Since its start. */
    uint64_t aof_enabled;        /**< 1: append-only file. */
    uint64_t rdb_last_save_s;    /**< Unix time of the last snapshot. */
    uint64_t rdb_last_save_ok;   /**< 1: it worked. */
    uint64_t connected_replicas; /**< Replicas that are connected now. */
    uint64_t latency_us;         /**< Shortest of three round trips. */
    int64_t clock_offset_ms;     /**< Its wall clock minus ours. */
    uint64_t clock_offset_known; /**< 0: the server did not state its time. */
    uint64_t tls;                /**< 1: the connection is encrypted and its name verified. */
    uint64_t evicts;             /**< 1: it may evict live entries. */
    char replication_id[48];     /**< New whenever the server becomes a primary. */
    char address[128];           /**< Where it was reached: host:port, or the path. */
    uint64_t waitaof;            /**< 1: it knows WAITAOF. */
    uint64_t sentinels_known;    /**< Different Sentinels that agree; 0 without Sentinel. */
    uint64_t sentinels_total;    /**< Sentinels that there are: entries of the options, or more. */
    uint64_t nodes_known;        /**< Primaries of the Cluster; 0 without Cluster. */
    uint64_t slots_covered;      /**< Slots that have a primary, of 16,384; 0 without Cluster. */
    char unknown_commands[192];  /**< Commands that it does not know: renamed or switched off. */
} jtg_redis_server;

/** Ask the server about itself, within timeout_ms. A server that the gate refuses is described
 * too, as long as it answers: the status is then what a reserve would answer.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (no Redis cache) · JTG_ERR_FORKED · JTG_ERR_… as
 *          jtg_cache_ping()
 * Owns:    server borrowed; only the first struct_size bytes are written · err may be NULL
 * Threads: any   Blocks: timeout_ms
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_redis_server_get(jtg_cache *cache, jtg_redis_server *server,
                                                        jtg_error *err);

/** Declare that the store has lost nothing since since_ms, overriding what the cache observed: for
 * an operator who has just set up an empty store, or who knows that a restart lost nothing.
 *
 * **If that is not so, used tokens are admitted again.** Takes effect for every instance, at the
 * latest with its next connection. Never moves kept_since forward: where it is earlier than
 * since_ms nothing is changed, and jtg_cache_kept_since() says what holds.
 *
 * It is about what was until the call looked at the store, and is dated so: what is used elsewhere
 * after that is not covered, and a time that another instance changed between the look and the
 * write stays as it is (JTG_ERR_UNAVAILABLE: look again).
 *
 * since_ms: wall clock, milliseconds since 1970; 0 = ever.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (no Redis cache, or since_ms lies in the future) ·
 *          JTG_ERR_UNSUPPORTED (continuity is off) · JTG_ERR_UNAVAILABLE (changed meanwhile) ·
 *          JTG_ERR_… as jtg_cache_ping() (a part of a Cluster may have been changed)
 * Owns:    err borrowed, may be NULL
 * Threads: any   Blocks: walk_timeout_ms
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_redis_vouch(jtg_cache *cache, int64_t since_ms,
                                                   jtg_error *err);

/** The ACL rules for what this backend sends, in the form of ACL SETUSER, without user,
 * password and key pattern: "-@all +ping …". Empty in a build without it. Borrowed, static. */
JTG_API const char *jtg_redis_acl_commands(void);

#ifdef __cplusplus
}
#endif
#endif
