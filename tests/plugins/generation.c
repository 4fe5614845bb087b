/* One plugin in many versions, to be put in each other's place. It serves `gen:<name>`:
 *   add N        adds to its count, and pushes `count`
 *   who          pushes its version, whose state it got, its count, and how many it adopted
 *   say [W,N]    broadcasts `said` [W,N,S]: S counts all that is said, by all versions; an N that
 *                does not follow the last one of the sender W is broadcast as `unexpected` instead
 *   later MS     answered by a timer after MS milliseconds, with `answer`
 *   work MS      the same by a job
 *   never        is never answered
 *   tick MS      broadcasts `tick` with its version each MS milliseconds
 *   block MS     takes so long
 *   keep JSON    keeps the payload with the sender's subscription; `kept` pushes it
 * A join is told `welcome` with the version. The count and what was said are its state.
 *
 * What differs is said when it is built: GEN_VERSION, GEN_NAME, GEN_PATTERN, GEN_PATTERN_2;
 * GEN_WRITES, the version of the state that it saves (0: none), and GEN_READS, the last one that it
 * takes; and that something fails or waits: GEN_START_FAILS, GEN_START_WAITS (until there is a file
 * of the name that its configuration has as `until`), GEN_START_TAKES milliseconds, GEN_SAVE_FAILS,
 * GEN_SAVE_IS_NULL, GEN_ADOPT_FAILS (for the name `unwanted`), GEN_SNAPSHOT (pushed when it
 * adopts), GEN_JOIN_WAITS (for ever). */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "jackfield_json.h"
#include "tiny.h"

#ifndef GEN_NAME
#define GEN_NAME "generation"
#endif
#ifndef GEN_VERSION
#define GEN_VERSION "1.0.0"
#endif
#ifndef GEN_PATTERN
#define GEN_PATTERN "gen:<name>"
#endif
#ifndef GEN_WRITES
#define GEN_WRITES 1
#endif
#ifndef GEN_READS
#define GEN_READS 1
#endif
#ifndef GEN_START_TAKES
#define GEN_START_TAKES 0
#endif

enum { kSenders = 32, kCalls = 64, kMostWaits = 4000 };

/* The state. */
static long long count;
static long long said;
static long long last[kSenders];

static char from[32] = "nobody";
static long long adopted;
static jf_id calls[kCalls];
static int calls_count;
static char tick_topic[64];
static int is_saved;

/* Nothing may be called between `save` and `resume` but leaves. */
static void expect_unsaved(const char *function) {
  jf_field field = {JF_TEXT("function"), {NULL, 0}};
  field.value = text(function);
  if (is_saved) host->log(host, JF_LOG_ERROR, text("called after it has saved"), &field, 1);
}

static void sleep_ms(long long milliseconds) {
  struct timespec left;
  left.tv_sec = (time_t)(milliseconds / 1000);
  left.tv_nsec = (long)(milliseconds % 1000) * 1000000;
  while (nanosleep(&left, &left) != 0) {
  }
}

static void push_answer(jf_id call) {
  push(call, "answer", "\"" GEN_VERSION "\"");
  if (host->reply(host, call, text(""), text("")) == JF_E_GONE) say("nobody waits for the reply");
}

static void answer_from_timer(void *user, jf_id timer) {
  (void)timer;
  expect_unsaved("timer");
  push_answer(*(const jf_id *)user);
}

static int32_t work(void *user, jf_text bytes, const jf_output *output) {
  (void)user;
  (void)output;
  sleep_ms(number(bytes));
  return JF_OK;
}

static void answer_from_job(void *user, int32_t result, jf_text output) {
  (void)result;
  (void)output;
  expect_unsaved("done");
  push_answer(*(const jf_id *)user);
}

static jf_id *remember(jf_id call) {
  jf_id *place = &calls[calls_count++ % kCalls];
  *place = call;
  return place;
}

static void tick(void *user, jf_id timer) {
  (void)user;
  (void)timer;
  expect_unsaved("timer");
  broadcast(text(tick_topic), "tick", "\"" GEN_VERSION "\"");
}

static int32_t say_it(const jf_request *request) {
  jf_json_walk walk = jf_json_begin(request->payload);
  jf_text element;
  long long sender = -1;
  long long n = 0;
  char json[96];
  if (jf_json_next(&walk, NULL, &element)) sender = number(element);
  if (jf_json_next(&walk, NULL, &element)) n = number(element);
  if (sender < 0 || sender >= kSenders) return JF_E_PAYLOAD;
  snprintf(json, sizeof json, "[%lld,%lld,%lld]", sender, n, ++said);
  broadcast(request->topic, n == last[sender] + 1 ? "said" : "unexpected", json);
  last[sender] = n;
  return JF_OK;
}

static int32_t push_who(const jf_request *request) {
  char json[160];
  snprintf(json, sizeof json,
           "{\"version\":\"" GEN_VERSION
           "\",\"from\":\"%s\",\"count\":%lld,\"adopted\":%lld}",
           from, count, adopted);
  return push(request->call, "who", json);
}

static int32_t push_count(jf_id target, const char *event) {
  char json[32];
  snprintf(json, sizeof json, "%lld", count);
  return push(target, event, json);
}

static int32_t push_kept(const jf_request *request) {
  jf_text kept;
  const int32_t result = host->get(host, request->subscription, &kept);
  if (result != JF_OK) return result;
  return host->push(host, request->call, text("kept"), kept.size > 0 ? kept : text("null"));
}

static int32_t event(void *channel, const jf_request *request) {
  jf_id timer;
  const uint64_t ms = (uint64_t)number(request->payload);
  (void)channel;
  expect_unsaved("event");
  if (same(request->event, "add")) {
    count += number(request->payload);
    return push_count(request->call, "count");
  }
  if (same(request->event, "who")) return push_who(request);
  if (same(request->event, "say")) return say_it(request);
  if (same(request->event, "later")) {
    host->timer(host, ms, 0, answer_from_timer, remember(request->call), &timer);
    return JF_PENDING;
  }
  if (same(request->event, "work")) {
    host->job(host, request->payload, work, answer_from_job, remember(request->call));
    return JF_PENDING;
  }
  if (same(request->event, "never")) return JF_PENDING;
  if (same(request->event, "tick")) {
    snprintf(tick_topic, sizeof tick_topic, "%.*s", SHOWN(request->topic));
    return host->timer(host, ms, ms, tick, NULL, &timer);
  }
  if (same(request->event, "block")) {
    sleep_ms((long long)ms);
    return push(request->call, "blocked", "null");
  }
  if (same(request->event, "keep")) {
    return host->set(host, request->subscription, request->payload);
  }
  if (same(request->event, "kept")) return push_kept(request);
  return JF_NO_EVENT;
}

static int32_t join(void *channel, const jf_request *request) {
  (void)channel;
  expect_unsaved("join");
#ifdef GEN_JOIN_WAITS
  (void)request;
  return JF_PENDING;
#else
  return push(request->call, "welcome", "\"" GEN_VERSION "\"");
#endif
}

static void leave(void *channel, const jf_request *request) {
  char reason[16];
  jf_field fields[] = {{JF_TEXT("version"), JF_TEXT(GEN_VERSION)},
                       {JF_TEXT("topic"), {NULL, 0}},
                       {JF_TEXT("reason"), {NULL, 0}}};
  (void)channel;
  snprintf(reason, sizeof reason, "%u", (unsigned)request->reason);
  fields[1].value = request->topic;
  fields[2].value = text(reason);
  host->log(host, JF_LOG_INFO, text("generation left"), fields, 3);
}

static int32_t adopt(void *channel, const jf_request *request) {
  (void)channel;
  expect_unsaved("adopt");
#ifdef GEN_ADOPT_FAILS
  if (request->params_count > 0 && same(request->params[0].value, "unwanted")) {
    return JF_E_FORBIDDEN;
  }
#endif
  ++adopted;
#ifdef GEN_SNAPSHOT
  return push_count(request->subscription, "snapshot");
#else
  (void)request;
  return JF_OK;
#endif
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, join, event, leave, adopt};

/* ---- its life */

static int take_state(const jf_start *args) {
  jf_json_walk walk;
  jf_text element;
  int i = 0;
  if (args->state_version == 0) return 1;
  if (args->state_version > GEN_READS) return 0;
  snprintf(from, sizeof from, "%.*s", SHOWN(args->state_from));
  walk = jf_json_begin(args->state);
  if (jf_json_next(&walk, NULL, &element)) count = number(element);
  if (jf_json_next(&walk, NULL, &element)) said = number(element);
  while (i < kSenders && jf_json_next(&walk, NULL, &element)) last[i++] = number(element);
  return i == kSenders;
}

#ifdef GEN_START_WAITS
/* Not for ever: no test may leave a process behind. */
static void wait_for_file(jf_text config) {
  jf_text until;
  char path[512];
  int waits;
  if (!jf_json_get(config, text("until"), &until)) return;
  snprintf(path, sizeof path, "%.*s", (int)until.size - 2, until.data + 1);
  say("waits in its start");
  for (waits = 0; waits < kMostWaits && access(path, F_OK) != 0; ++waits) sleep_ms(5);
  say("has waited in its start");
}
#endif

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  host = given;
  *instance = NULL;
#ifdef GEN_START_WAITS
  wait_for_file(args->config);
#endif
  sleep_ms(GEN_START_TAKES);
  if (!take_state(args)) {
    host->log(host, JF_LOG_ERROR, text("a state from the future"), NULL, 0);
    return JF_E_STATE;
  }
#ifdef GEN_START_FAILS
  host->log(host, JF_LOG_ERROR, text("the device is missing"), NULL, 0);
  return JF_E_INTERNAL;
#endif
#ifdef GEN_PATTERN_2
  if (host->channel(host, text(GEN_PATTERN_2), &channel, NULL) != JF_OK) return JF_E_INTERNAL;
#endif
  return host->channel(host, text(GEN_PATTERN), &channel, NULL);
}

#ifdef GEN_SAVE_IS_NULL
#define save NULL
#else
static int32_t save(void *instance, const jf_output *output, uint32_t *state_version) {
  char json[32 * (kSenders + 2)];
  size_t size;
  int i;
  jf_text state;
  (void)instance;
  expect_unsaved("save");
  is_saved = 1;
#ifdef GEN_SAVE_FAILS
  host->log(host, JF_LOG_ERROR, text("the disk is full"), NULL, 0);
  return JF_E_INTERNAL;
#endif
  size = (size_t)snprintf(json, sizeof json, "[%lld,%lld", count, said);
  for (i = 0; i < kSenders; ++i) {
    size += (size_t)snprintf(json + size, sizeof json - size, ",%lld", last[i]);
  }
  json[size++] = ']';
  state.data = json;
  state.size = size;
  *state_version = GEN_WRITES;
  return output->write(output, state);
}
#endif

static void resume(void *instance) {
  (void)instance;
  if (!is_saved) host->log(host, JF_LOG_ERROR, text("resumed, but never saved"), NULL, 0);
  is_saved = 0;
  say("generation resumes");
}

JF_PLUGIN = {(uint32_t)sizeof(jf_plugin),
             JF_ABI_MINOR,
             JF_TEXT(GEN_NAME),
             JF_TEXT(GEN_VERSION),
             JF_TEXT("a plugin to be replaced"),
             JF_TEXT("MIT"),
             start,
             NULL,
             NULL,
             save,
             resume};
