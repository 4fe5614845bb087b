/* Threads that post, push, broadcast, reply, kick and log from `start` until `stop` has joined
 * them. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "tiny.h"

enum { kThreads = 3 };

static pthread_t threads[kThreads];
static atomic_int over;

static void posted(void *user, jf_text bytes) {
  (void)user;
  host->broadcast(host, text("restless:loop"), text("posted"), bytes, 0);
}

static int32_t work(void *user, jf_text bytes, const jf_output *output) {
  (void)user;
  return output->write(output, bytes);
}

static void done(void *user, int32_t result, jf_text output) {
  (void)user;
  (void)result;
  host->broadcast(host, text("restless:loop"), text("done"), output, 0);
}

static void *run(void *unused) {
  const struct timespec pause = {0, 1000000};
  jf_id id = UINT64_MAX / 2; /* from here on no id is in use */
  (void)unused;
  while (!atomic_load(&over)) {
    host->post(host, text("1"), posted, NULL);
    host->job(host, text("2"), work, done, NULL);
    host->push(host, id, text("stray"), text("3"));
    host->reply(host, id, text(""), text(""));
    host->broadcast(host, text("restless:thread"), text("told"), text("4"), 0);
    if (host->now(host) == 0) host->kick(host, id, text("A"), text("b"));
    host->log(host, JF_LOG_DEBUG, text("restless"), NULL, 0);
    ++id;
    nanosleep(&pause, NULL);
  }
  return NULL;
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, NULL, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  int i;
  (void)args;
  (void)instance;
  host = given;
  for (i = 0; i < kThreads; ++i) {
    if (pthread_create(&threads[i], NULL, run, NULL) != 0) return JF_E_INTERNAL;
  }
  return host->channel(host, text("restless:<x>"), &channel, NULL);
}

static void stop(void *instance) {
  int i;
  (void)instance;
  atomic_store(&over, 1);
  for (i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
}

TINY_PLUGIN("restless", start, stop);
