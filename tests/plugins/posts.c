/* Posts from a thread and from the loop to its own `posted`. */
#include <pthread.h>
#include <stdlib.h>

#include "tiny.h"

enum { kPosts = 1000, kMebibyte = 1 << 20 };

static pthread_t thread;
static int thread_runs;
static int inside_event;
static char user_data;

static void posted(void *user, jf_text bytes) {
  if (user != &user_data || inside_event) {
    broadcast(text("posts:run"), "wrong", "true");
    return;
  }
  host->broadcast(host, text("posts:run"), text("posted"), bytes, 0);
}

static void *post_all(void *unused) {
  char json[16]; /* used again for each: the host has its own copy */
  int i;
  (void)unused;
  for (i = 0; i < kPosts; ++i) {
    snprintf(json, sizeof json, "%d", i);
    host->post(host, text(json), posted, &user_data);
  }
  return NULL;
}

static void dropped(void *user, jf_text bytes) {
  (void)user;
  (void)bytes;
}

static int32_t fill(const jf_request *request) {
  char json[64];
  const jf_text large = {calloc(1, kMebibyte), kMebibyte};
  int32_t result = JF_OK;
  int count = 0;
  while (count < 1000 && (result = host->post(host, large, dropped, NULL)) == JF_OK) ++count;
  free((void *)(uintptr_t)large.data);
  snprintf(json, sizeof json, "[%d,%d]", count, (int)result);
  return push(request->call, "filled", json);
}

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  if (same(request->event, "fill")) return fill(request);
  if (same(request->event, "from_loop")) {
    int32_t result;
    inside_event = 1;
    result = host->post(host, request->payload, posted, &user_data);
    inside_event = 0;
    return result;
  }
  if (!same(request->event, "run") || thread_runs) return JF_NO_EVENT;
  thread_runs = pthread_create(&thread, NULL, post_all, NULL) == 0;
  return thread_runs ? JF_OK : JF_E_INTERNAL;
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  (void)args;
  (void)instance;
  host = given;
  return host->channel(host, text("posts:<x>"), &channel, NULL);
}

static void stop(void *instance) {
  (void)instance;
  if (thread_runs) pthread_join(thread, NULL);
}

TINY_PLUGIN("posts", start, stop);
