/* A timer that starts itself again without delay, from `start` until `stop`. The event `count` asks
 * how often it has fired. */
#include "tiny.h"

static long long count;

static void again(void *user, jf_id timer) {
  ++count;
  host->timer(host, 0, 0, again, user, &timer);
}

static int32_t event(void *channel, const jf_request *request) {
  char json[32];
  (void)channel;
  snprintf(json, sizeof json, "%lld", count);
  return push(request->call, "counted", json);
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  jf_id timer;
  int32_t result;
  (void)args;
  (void)instance;
  host = given;
  result = host->timer(host, 0, 0, again, NULL, &timer);
  return result < 0 ? result : host->channel(host, text("again"), &channel, NULL);
}

TINY_PLUGIN("again", start, NULL);
