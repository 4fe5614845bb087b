/* Calls each [loop] function of the host from a thread of its own. */
#include <pthread.h>

#include "tiny.h"

static jf_id subscription;
static jf_id connection;
static char results[512];

static void fired(void *user, jf_id timer) {
  (void)user;
  (void)timer;
}

static const jf_channel other = {(uint32_t)sizeof(jf_channel), NULL, NULL, NULL, NULL, NULL};

static void *call_all(void *unused) {
  jf_connection facts = {
      (uint32_t)sizeof(jf_connection), 0, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
  jf_text value;
  jf_id timer = 0;
  (void)unused;
  snprintf(results, sizeof results,
           "{\"channel\":%d,\"timer\":%d,\"cancel\":%d,\"set\":%d,\"get\":%d,"
           "\"subscribers\":%d,\"connections\":%d,\"connection\":%d,\"header\":%d}",
           (int)host->channel(host, text("other:<x>"), &other, NULL),
           (int)host->timer(host, 1, 0, fired, NULL, &timer), (int)host->cancel(host, 1),
           (int)host->set(host, subscription, text("x")),
           (int)host->get(host, subscription, &value),
           (int)host->subscribers(host, text("wrong_thread")), (int)host->connections(host),
           (int)host->connection(host, connection, &facts),
           (int)host->header(host, connection, text("x"), &value));
  return NULL;
}

static int32_t event(void *channel, const jf_request *request) {
  pthread_t thread;
  (void)channel;
  subscription = request->subscription;
  connection = request->connection;
  if (pthread_create(&thread, NULL, call_all, NULL) != 0) return JF_E_INTERNAL;
  pthread_join(thread, NULL);
  return push(request->call, "results", results);
}

TINY_CHANNEL_PLUGIN("wrong_thread", "wrong_thread", NULL, NULL, event, NULL);
