/* Jackfield's plugin ABI, major version 1.
 *
 * A plugin is a shared object that exports one symbol, the constant
 *
 *     const jf_plugin jackfield_plugin_v1;
 *
 * The server (the host) reads it, calls `start`, and from then on calls the plugin when a client
 * joins, leaves, or sends an event on a topic that one of the plugin's channels serves. The plugin
 * calls back through the table of functions that `start` is given, `jf_host`.
 *
 * Rules that hold everywhere:
 *
 * - Bytes cross, nothing else. A jf_text is a pointer and a length; it is not ended by a NUL.
 *   Names are UTF-8 (a lone surrogate, which JSON allows in a string, arrives as its three-byte
 *   generalized form); payloads are JSON text (RFC 8259) in UTF-8, already checked by the host.
 * - Every pointer that a call hands over dies when that call returns, in both directions; each
 *   side copies what it keeps and frees only its own. Exceptions: the `jf_host` and the plugin's
 *   own instance pointer, valid from `start` until `stop` returns; the handler tables given to
 *   `channel`, which must stay until `stop` returns; and what `jackfield_plugin_v1` points to,
 *   which must stay as long as the image.
 * - Connections, subscriptions, calls and timers are named by ids. An id is never used twice in
 *   one run of the server, whatever it names; 0 names nothing. Using one that is gone returns
 *   JF_E_GONE.
 * - Host functions only put work in line. None calls back into the plugin before the plugin's own
 *   function has returned, so there is no re-entrancy.
 * - Thread tags: [loop] functions of a plugin are never run concurrently; [loop] functions of the
 *   host may be called only from within one of them, else they return JF_E_THREAD. [any] may be
 *   called from any thread between the begin of `start` and the end of `stop`. [worker] runs on a
 *   thread of the host's pool, holding no lock.
 * - `start` and `stop` are [loop] too, but each call of them has a thread of its own, as have the
 *   image's constructors and destructors: a slow one holds nobody up. So what is thread_local there
 *   is not what the other functions see.
 * - Append only: a table starts with its size in bytes. Fields are added at the end. A function
 *   beyond the size, or a null one, is not supported; check with JF_HAS before you call a function
 *   that is newer than the version you need.
 * - No exception, longjmp or signal may leave a function of the plugin.
 *
 * The header needs only C99, or C++11, and includes nothing but <stdint.h> and <stddef.h>.
 */
#ifndef JACKFIELD_H
#define JACKFIELD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The ABI's version. A major change has a new symbol; a minor one appends. */
#define JF_ABI_MAJOR 1u
#define JF_ABI_MINOR 0u

/* The name of the exported symbol of this major version. */
#define JF_SYMBOL_NAME "jackfield_plugin_v1"

#if defined(__GNUC__)
#define JF_EXPORT __attribute__((visibility("default")))
#else
#define JF_EXPORT
#endif

/* True where TABLE (a pointer to a table that starts with `size`) holds FIELD and it is not null. */
#define JF_HAS(TABLE, FIELD)                                                              \
  ((TABLE)->size >= offsetof(JF_TYPEOF_(TABLE), FIELD) + sizeof((TABLE)->FIELD) && \
   (TABLE)->FIELD)
#if defined(__cplusplus)
/* decltype(*p) is a reference; this strips it without <type_traits>. */
extern "C++" {
template <class T> struct jf_strip_ { typedef T type; };
template <class T> struct jf_strip_<T &> { typedef T type; };
}
#define JF_TYPEOF_(TABLE) jf_strip_<decltype(*(TABLE))>::type
#else
#define JF_TYPEOF_(TABLE) __typeof__(*(TABLE))
#endif

/* ---- Results ------------------------------------------------------------------------------- */

/* Every function that can fail returns an int32_t: 0 or positive is a success, negative an error. */
#define JF_OK 0
#define JF_PENDING 1  /* join, event: answered by `reply`, before or after the return */
#define JF_NO_EVENT 2 /* event: the channel knows no such event; the host logs it, no answer */

#define JF_E_INTERNAL (-1)    /* the plugin or the host failed; the client sees INTERNAL_ERROR */
#define JF_E_PAYLOAD (-2)     /* the payload is not what is wanted; the client sees INVALID_PAYLOAD */
#define JF_E_FORBIDDEN (-3)   /* the sender may not; the client sees FORBIDDEN */
#define JF_E_GONE (-4)        /* the id names nothing that is still there */
#define JF_E_THREAD (-5)      /* a [loop] function called from elsewhere */
#define JF_E_ARGUMENT (-6)    /* a null, a length over a limit, a value out of range */
#define JF_E_JSON (-7)        /* a payload that is not JSON text in UTF-8 */
#define JF_E_UNSUPPORTED (-8) /* this host does not have it */
#define JF_E_LIMIT (-9)       /* a bound is reached: timers, jobs, posts, bytes */
#define JF_E_STATE (-10)      /* not now: `channel` outside `start`; start: cannot take the state */

/* Why a subscription ended (jf_channel.leave). */
#define JF_LEAVE_UNSUBSCRIBED 1u /* the client asked */
#define JF_LEAVE_CLOSED 2u       /* the connection closed or was lost */
#define JF_LEAVE_KICKED 3u       /* `kick` */
#define JF_LEAVE_UNLOADED 4u     /* the plugin goes, or its next generation does not take it over */
#define JF_LEAVE_SHUTDOWN 5u     /* the server stops */

/* Log levels. */
#define JF_LOG_ERROR 1u
#define JF_LOG_WARNING 2u
#define JF_LOG_INFO 3u
#define JF_LOG_DEBUG 4u

/* ---- Values -------------------------------------------------------------------------------- */

/* Names a connection, subscription, call or timer; 0 names nothing. */
typedef uint64_t jf_id;

/* Bytes: text or JSON. `data` may be null where `size` is 0. */
typedef struct jf_text {
  const char *data;
  size_t size; /* octets */
} jf_text;

/* A jf_text of a string literal, also in a constant initializer. */
#define JF_TEXT(LITERAL) {"" LITERAL, sizeof(LITERAL) - 1}

/* What a topic gave to one `<name>` of the pattern. */
typedef struct jf_param {
  jf_text name;
  jf_text value; /* may be empty */
} jf_param;

/* One field of a log line. */
typedef struct jf_field {
  jf_text key; /* [a-z0-9_]+ */
  jf_text value;
} jf_field;

/* Where a function of the plugin writes bytes for the host to keep, 64 MiB at most. [loop] or
 * [worker]: only inside the call that it was given to. */
typedef struct jf_output {
  uint32_t size;
  void *impl; /* the host's */
  /* Appends. JF_E_LIMIT: more than the host takes; what was written before stays. */
  int32_t (*write)(const struct jf_output *output, jf_text bytes);
} jf_output;

/* What a client did on a topic. Given to match, join, event, leave and adopt. */
typedef struct jf_request {
  uint32_t size;
  uint32_t reason;       /* leave: JF_LEAVE_*; else 0 */
  jf_id call;            /* join, event: names this call for `push` and `reply`; else 0 */
  jf_id connection;      /* match: 0 where it is not asked for a connection */
  jf_id subscription;    /* join, leave, adopt; event: the sender's, or 0 where it has none */
  jf_text topic;
  const jf_param *params; /* in the order of the pattern */
  size_t params_count;
  jf_text event;   /* event: its name; else empty */
  jf_text payload; /* event, join: JSON text as the client sent it; else empty */
} jf_request;

/* Facts about a connection. The caller sets `size` before the call; the host fills what fits. The
 * texts live until the plugin's running function returns. */
typedef struct jf_connection {
  uint32_t size;
  uint32_t is_local;  /* 1 where the peer is this machine: loopback address or Unix socket */
  jf_text peer;       /* "192.0.2.1", "2001:db8::1", or "unix" */
  jf_text identity;   /* who it is, KIND:NAME: "token:alice", "jwt:alice", "cert:lamp-7",
                         "unix:alice"; empty: nobody known */
  jf_text path;       /* of the upgrade request, percent-decoded: any octets, perhaps not UTF-8 */
  jf_text query;      /* behind the '?', percent-encoded; may be empty */
} jf_connection;

/* ---- The channel: the plugin's handlers for one pattern -------------------------------------- */

/* One channel serves every topic that its pattern matches. All functions are [loop]; any of them
 * may be null. `channel` is the pointer given at registration. */
typedef struct jf_channel {
  uint32_t size;

  /* Narrows what the pattern took: nonzero takes the topic, 0 leaves it to later channels. Must
   * give the same answer for a topic at all times. Null: takes all. */
  int32_t (*match)(void *channel, const jf_request *request);

  /* A client wants to subscribe. JF_OK: it is subscribed. JF_PENDING: `reply` says, once. An error:
   * refused, the client is told. What is pushed to the call or its subscription, and broadcasts on
   * the topic, reach the client after its `subscribed`, and are dropped where it is refused.
   * Also called when a client subscribes again to a topic it holds: then request->subscription is
   * the one it has, and a refusal leaves that one as it is. Null: accepts. */
  int32_t (*join)(void *channel, const jf_request *request);

  /* A client sent an event; it need not be subscribed. JF_OK: done (what was to be said was
   * pushed). JF_NO_EVENT: unknown here. JF_PENDING: `reply` says, once. An error: the client is
   * told. Null: knows no event. */
  int32_t (*event)(void *channel, const jf_request *request);

  /* A subscription that was joined or adopted has ended; called once for each, of the generation
   * that has it then. It counts as a subscriber no more, and no broadcast reaches it; pushing to it
   * returns JF_E_GONE; its `get` still works until this returns. */
  void (*leave)(void *channel, const jf_request *request);

  /* A new generation takes over a subscription of the one before; called once for each, after
   * `start` and before any other function of its channels but `match`. The channel is the first of
   * the new ones whose pattern and `match` take the topic. It has the id and the bytes (`get`) that
   * it had. `push` to request->subscription reaches it: say, a fresh snapshot. One that has ended
   * meanwhile is adopted too; its `leave` follows. An error: it is not taken, and ends. Null: takes
   * all. */
  int32_t (*adopt)(void *channel, const jf_request *request);
} jf_channel;

/* ---- The host: what the plugin may call ------------------------------------------------------ */

/* Given to `start`. Each plugin has its own; pass it as the first argument. Limits that hold for all
 * of them: a topic, event, pattern or code is UTF-8 (or the generalized form above), without a NUL,
 * of at most 4,096 octets; a message for a person is the same, of at most 64 KiB, and may hold a NUL.
 * What is over them returns JF_E_ARGUMENT, and nothing is done. What [any] functions are called for
 * from other threads waits for the loop: where more than 64 MiB of one plugin wait (each call counts
 * 256 octets more than it carries), they return JF_E_LIMIT. Ids are the server's, not the plugin's: a
 * plugin can name what belongs to another one. Where memory is out, the process ends. */
typedef struct jf_host {
  uint32_t size;
  uint32_t minor; /* the host's JF_ABI_MINOR */
  void *impl;     /* the host's */
  jf_text version; /* of the server, for logs */

  /* Registers a channel. [loop], within `start` only. Channels are asked in the order of
   * registration, over all plugins; the first match serves. JF_E_ARGUMENT: malformed pattern, the
   * reason is logged. JF_E_STATE: outside `start`. */
  int32_t (*channel)(const struct jf_host *host, jf_text pattern, const jf_channel *handlers,
                     void *channel);

  /* Sends `event` with `payload` to one connection. [any] `target` is a subscription, or the call
   * of a join or event that is not answered yet: then it goes to the connection that made the
   * call, on its topic, subscribed or not. JF_E_JSON, JF_E_GONE (on the loop thread; from other
   * threads a target that is gone by then is dropped). */
  int32_t (*push)(const struct jf_host *host, jf_id target, jf_text event, jf_text payload);

  /* Sends to every subscription of exactly `topic`, but not to the subscription `except` (0: to
   * all). [any] On the loop thread the result is how many it was put in line for. A client that
   * does not read may lose it, as a message of `push`, where the configuration says so for the
   * topic ([[backlog]]); else its connection is closed before it would lose any. */
  int32_t (*broadcast)(const struct jf_host *host, jf_text topic, jf_text event, jf_text payload,
                       jf_id except);

  /* Answers a call, once: `code` empty for success, else an error code such as "FORBIDDEN" with a
   * message for a person. [any] Within join or event it may be called before JF_PENDING is
   * returned. JF_E_GONE: answered already, or the connection is gone. */
  int32_t (*reply)(const struct jf_host *host, jf_id call, jf_text code, jf_text message);

  /* Ends a subscription (the client gets an error with code and message on its topic, `leave` has
   * reason KICKED) or closes a connection (1008, message as the reason, cut at 123 octets). [any]
   * `leave` comes after the running function has returned. */
  int32_t (*kick)(const struct jf_host *host, jf_id target, jf_text code, jf_text message);

  /* Has `posted` called on the loop with a copy of the bytes. [any] In the order of posting, for
   * one thread. */
  int32_t (*post)(const struct jf_host *host, jf_text bytes,
                  void (*posted)(void *user, jf_text bytes), void *user);

  /* Has `fired` called on the loop after `delay_ms`, and then each `interval_ms` where that is not
   * 0. [loop] Monotonic time. A repeated timer that falls behind skips, it does not catch up.
   * JF_E_LIMIT: the plugin has 10,000 timers. */
  int32_t (*timer)(const struct jf_host *host, uint64_t delay_ms, uint64_t interval_ms,
                   void (*fired)(void *user, jf_id timer), void *user, jf_id *timer);

  /* Ends a timer; it will not fire again. [loop] */
  int32_t (*cancel)(const struct jf_host *host, jf_id timer);

  /* Monotonic time in microseconds; only differences mean something. [any] */
  uint64_t (*now)(const struct jf_host *host);

  /* Runs `work` on a worker thread with a copy of the bytes, then `done` on the loop with what it
   * wrote and returned. [any] For whatever blocks: files, databases, long sums. `stop` is called
   * after the last running `work` has returned; `done` does not come after `stop` has begun.
   * JF_E_LIMIT: the plugin has 1,000 jobs, or 64 MiB of bytes for jobs, in line or running. */
  int32_t (*job)(const struct jf_host *host, jf_text bytes,
                 int32_t (*work)(void *user, jf_text bytes, const jf_output *output),
                 void (*done)(void *user, int32_t result, jf_text output), void *user);

  /* Keeps bytes with a subscription, replacing those it had; the host frees them when it ends.
   * [loop] At most 64 KiB, else JF_E_LIMIT. Within `join` the subscription counts already. */
  int32_t (*set)(const struct jf_host *host, jf_id subscription, jf_text bytes);

  /* The bytes kept with a subscription; empty where none were set. [loop] They live until the next
   * `set` on it or the return of the running function. */
  int32_t (*get)(const struct jf_host *host, jf_id subscription, jf_text *bytes);

  /* How many subscriptions a topic has, those still joining not counted. [loop] */
  int64_t (*subscribers)(const struct jf_host *host, jf_text topic);

  /* How many connections are open. [loop] */
  int64_t (*connections)(const struct jf_host *host);

  /* Writes a line to the server's log, under the plugin's name. [any] `fields` may be null where
   * `fields_count` is 0. */
  void (*log)(const struct jf_host *host, uint32_t level, jf_text message, const jf_field *fields,
              size_t fields_count);

  /* Facts about a connection. [loop] */
  int32_t (*connection)(const struct jf_host *host, jf_id connection, jf_connection *facts);

  /* A header of the upgrade request, by its name in lower case, where the configuration lets it
   * through ([server] forward_headers); else empty. [loop] Any octets, perhaps not UTF-8. Lives as
   * `connection`'s texts do. */
  int32_t (*header)(const struct jf_host *host, jf_id connection, jf_text name, jf_text *value);

  /* A table of further functions by id, such as "jackfield.presence/1", or null. [any] This host
   * has none yet. */
  const void *(*extension)(const struct jf_host *host, jf_text id);
} jf_host;

/* ---- The plugin ------------------------------------------------------------------------------ */

/* How a newer generation replaces one that serves, while clients stay:
 *
 * 1. What clients send to its channels waits. For a bounded time (1 s by default) the old one may
 *    finish what it began: pending calls, jobs.
 * 2. `save` of the old one, then `start` of the new one with that state. From `save` on, no timer,
 *    posted or done of the old one is called.
 * 3. `adopt`, for each subscription. Where no channel of the new one takes the topic, or `adopt`
 *    fails, the old one gets the `leave` and the client an error CHANNEL_UNLOADED. It gets no other
 *    leaves.
 * 4. Joins that are pending still are asked again, under new ids; pending events are answered with
 *    INTERNAL_ERROR. Then what waited goes to the new one.
 * 5. `stop` of the old one.
 *
 * Where `save` or `start` fails, `resume` of the old one is called instead and it goes on, as if
 * nothing had been: what waited, and what its timers, posts and jobs are due, comes to it then. */

/* What `start` is given besides the host. */
typedef struct jf_start {
  uint32_t size;
  uint32_t state_version; /* the version that `save` gave; 0: no state, a fresh start */
  jf_text config;         /* the plugin's table in the configuration as a JSON object; "{}" if none */
  jf_text state;          /* what the generation before handed over, or empty */
  jf_text state_from;     /* the `version` text of the plugin that saved it, or empty */
} jf_start;

/* The exported constant. All functions are [loop]; `start` and `stop` on threads of their own. */
typedef struct jf_plugin {
  uint32_t size;  /* sizeof(jf_plugin) as compiled: the first field, for good */
  uint32_t minor; /* JF_ABI_MINOR as compiled */

  jf_text name;        /* [a-z][a-z0-9_-]{0,31}; its table in the configuration is plugin.NAME */
  jf_text version;     /* for people; 64 octets at most */
  jf_text description; /* one line */
  jf_text license;     /* an SPDX expression */

  /* Starts an instance: read the configuration and the state, register channels, begin to serve. On
   * an error say why (`log`); nothing of what was registered or begun stays: no post, timer, `work`
   * or `done` begins after it has returned, and the image is not unmapped before a `work` that runs
   * has returned.
   * A state of a version that it does not know, or that is not what it should be, must be refused
   * with JF_E_STATE. Check it as you check a payload: another version wrote it.
   * What it does to others (push, broadcast, kick, reply), and what calls back (posts, timers,
   * `done`), comes after it has succeeded and the subscriptions are adopted.
   * One that takes longer than 5 s (by default) is given up: as an error, but the image stays. */
  int32_t (*start)(const jf_host *host, const jf_start *args, void **instance);

  /* Ends it: join own threads, free everything. Its subscriptions have left, or are the next
   * generation's. No host function may be called after it returns. Not called where `start`
   * failed. */
  void (*stop)(void *instance);

  /* The plugin's table in the configuration has changed: takes it, all of it or, with an error,
   * nothing (the old one stays). Null: it is replaced by a new generation of itself instead. */
  int32_t (*configure)(void *instance, jf_text config);

  /* Writes the state that the next generation's `start` is given, 64 MiB at most, and its version,
   * from 1 on (0: hands nothing over). An error: it is not replaced. Nothing is called after it but
   * `resume`, or leaves and `stop`; its own threads must leave alone what it has saved. Null: hands
   * nothing over. */
  int32_t (*save)(void *instance, const jf_output *output, uint32_t *state_version);

  /* It is not replaced after all, whatever failed from `save` on, that included: go on as before.
   * Null: nothing is to be done for that. */
  void (*resume)(void *instance);
} jf_plugin;

/* Defined by each plugin: JF_PLUGIN = {sizeof(jf_plugin), JF_ABI_MINOR, ...}; */
#ifdef __cplusplus
#define JF_PLUGIN extern "C" JF_EXPORT const jf_plugin jackfield_plugin_v1
#else
#define JF_PLUGIN JF_EXPORT const jf_plugin jackfield_plugin_v1
#endif
extern JF_EXPORT const jf_plugin jackfield_plugin_v1;

#ifdef __cplusplus
}
#endif

#endif /* JACKFIELD_H */
