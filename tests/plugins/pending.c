/* Answers joins and events later: from a thread, from a timer, at once, or never; and twice. */
#include <pthread.h>

#include "tiny.h"

enum { kThreads = 64 };

static pthread_t threads[kThreads];
static int has_thread[kThreads]; /* else a timer answers */
static jf_id calls[kThreads];
static int thread_count;

static void *answer_from_thread(void *call) {
  const jf_id id = *(const jf_id *)call;
  push(id, "progress", "50");
  push(id, "progress", "100");
  host->reply(host, id, text(""), text(""));
  return NULL;
}

static void *refuse_from_thread(void *call) {
  const jf_id id = *(const jf_id *)call;
  host->reply(host, id, text("TOO_BUSY"), text("ask again \"later\""));
  return NULL;
}

static int32_t in_thread(void *(*run)(void *), jf_id call) {
  if (thread_count == kThreads) return JF_E_LIMIT;
  calls[thread_count] = call;
  if (pthread_create(&threads[thread_count], NULL, run, &calls[thread_count]) != 0) {
    return JF_E_INTERNAL;
  }
  has_thread[thread_count++] = 1;
  return JF_PENDING;
}

static void answer_from_timer(void *user, jf_id timer) {
  const jf_id call = *(const jf_id *)user;
  (void)timer;
  if (push(call, "progress", "100") == JF_E_GONE) say("the asker is gone");
  if (host->reply(host, call, text(""), text("")) == JF_E_GONE) say("nobody waits for the reply");
}

static int32_t by_timer(jf_id call) {
  jf_id timer;
  if (thread_count == kThreads) return JF_E_LIMIT;
  calls[thread_count] = call;
  host->timer(host, 20, 0, answer_from_timer, &calls[thread_count], &timer);
  ++thread_count;
  return JF_PENDING;
}

static int32_t join(void *channel, const jf_request *request) {
  const jf_text how = request->params[0].value;
  (void)channel;
  if (same(how, "thread")) return in_thread(answer_from_thread, request->call);
  if (same(how, "refused")) return in_thread(refuse_from_thread, request->call);
  if (same(how, "timer")) return by_timer(request->call);
  if (same(how, "never")) return JF_PENDING;
  push(request->call, "progress", "100");
  host->reply(host, request->call, text(""), text(""));
  return JF_PENDING;
}

static int32_t event(void *channel, const jf_request *request) {
  char json[64];
  int32_t first;
  int32_t second;
  int32_t pushed;
  (void)channel;
  if (same(request->event, "thread")) return in_thread(answer_from_thread, request->call);
  if (same(request->event, "refused")) return in_thread(refuse_from_thread, request->call);
  if (same(request->event, "timer")) return by_timer(request->call);
  if (same(request->event, "never")) return JF_PENDING;
  if (!same(request->event, "twice")) return JF_NO_EVENT;
  first = host->reply(host, request->call, text("FIRST"), text("the first answer"));
  second = host->reply(host, request->call, text("SECOND"), text("the second answer"));
  pushed = push(request->call, "late", "1");
  snprintf(json, sizeof json, "[%d,%d,%d]", (int)first, (int)second, (int)pushed);
  broadcast(text("pending:watch"), "results", json);
  return JF_PENDING;
}

static void leave(void *channel, const jf_request *request) {
  jf_field field = {JF_TEXT("topic"), {NULL, 0}};
  (void)channel;
  field.value = request->topic;
  host->log(host, JF_LOG_INFO, text("pending left"), &field, 1);
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, join, event, leave, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  (void)args;
  (void)instance;
  host = given;
  return host->channel(host, text("pending:<how>"), &channel, NULL);
}

static void stop(void *instance) {
  int i;
  (void)instance;
  for (i = 0; i < thread_count; ++i) {
    if (has_thread[i]) pthread_join(threads[i], NULL);
  }
}

TINY_PLUGIN("pending", start, stop);
