/* Jobs: a result, one that still runs when the server stops, and more than fit in line. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "tiny.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static char user_data;
static int job_is_over;

static int32_t reverse(void *user, jf_text bytes, const jf_output *output) {
  size_t i;
  (void)user;
  if (host->subscribers(host, text("jobs:watch")) != JF_E_THREAD) return -99;
  for (i = bytes.size; i > 0; --i) {
    const jf_text one = {bytes.data + i - 1, 1};
    if (output->write(output, one) != JF_OK) return JF_E_LIMIT;
  }
  return 42;
}

static void reversed(void *user, int32_t result, jf_text output) {
  char json[256];
  snprintf(json, sizeof json, "{\"user\":%d,\"result\":%d,\"output\":\"%.*s\",\"on_loop\":%d}",
           user == &user_data, (int)result, SHOWN(output),
           host->subscribers(host, text("jobs:watch")) >= 0);
  broadcast(text("jobs:watch"), "reversed", json);
}

static int32_t take_long(void *user, jf_text bytes, const jf_output *output) {
  const struct timespec time = {0, 300000000};
  (void)user;
  (void)bytes;
  (void)output;
  host->broadcast(host, text("jobs:watch"), text("working"), text("true"), 0);
  nanosleep(&time, NULL);
  job_is_over = 1;
  return JF_OK;
}

static void took_long(void *user, int32_t result, jf_text output) {
  (void)user;
  (void)result;
  (void)output;
  say("the long job is done");
}

static int32_t wait_at_gate(void *user, jf_text bytes, const jf_output *output) {
  (void)user;
  (void)bytes;
  (void)output;
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return JF_OK;
}

static int32_t too_many(const jf_request *request) {
  char json[64];
  int count = 0;
  int32_t result = JF_OK;
  pthread_mutex_lock(&gate);
  while (count < 5000 && (result = host->job(host, text(""), wait_at_gate, NULL, NULL)) == JF_OK) {
    ++count;
  }
  pthread_mutex_unlock(&gate);
  snprintf(json, sizeof json, "[%d,%d]", count, (int)result);
  return push(request->call, "too_many", json);
}

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  if (same(request->event, "reverse")) {
    char bytes[] = "abcdef";
    const int32_t result = host->job(host, text(bytes), reverse, reversed, &user_data);
    memset(bytes, 'x', sizeof bytes - 1); /* the host has its own copy */
    return result;
  }
  if (same(request->event, "long")) {
    return host->job(host, text(""), take_long, took_long, NULL);
  }
  if (same(request->event, "too_many")) return too_many(request);
  return JF_NO_EVENT;
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  (void)args;
  (void)instance;
  host = given;
  return host->channel(host, text("jobs:<x>"), &channel, NULL);
}

static void stop(void *instance) {
  (void)instance;
  say(job_is_over ? "stop after the job" : "stop without the job's end");
}

TINY_PLUGIN("jobs", start, stop);
