/* Counts subscribers and connections. */
#include "tiny.h"

static void count(const jf_request *request, const char *event) {
  char json[128];
  snprintf(json, sizeof json, "{\"subscribers\":%lld,\"connections\":%lld}",
           (long long)host->subscribers(host, request->topic), (long long)host->connections(host));
  push(request->call, event, json);
}

static int32_t join(void *channel, const jf_request *request) {
  (void)channel;
  count(request, "joining");
  return JF_OK;
}

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  count(request, "counted");
  return JF_OK;
}

TINY_CHANNEL_PLUGIN("counts", "counts:<x>", NULL, join, event, NULL);
