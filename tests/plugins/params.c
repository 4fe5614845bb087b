/* Says what a topic gave to the pattern's parameters. */
#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  char json[512];
  size_t used = 1;
  size_t i;
  (void)channel;
  json[0] = '[';
  for (i = 0; i < request->params_count; ++i) {
    used += (size_t)snprintf(json + used, sizeof json - used, "%s\"%.*s=%.*s\"", i > 0 ? "," : "",
                             SHOWN(request->params[i].name), SHOWN(request->params[i].value));
  }
  snprintf(json + used, sizeof json - used, "]");
  return push(request->call, "params", json);
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  (void)args;
  (void)instance;
  host = given;
  host->channel(host, text("reasoning:<sessionId>"), &channel, NULL);
  host->channel(host, text("two:<first>:of:<second>"), &channel, NULL);
  host->channel(host, text("literal:only"), &channel, NULL);
  return host->channel(host, text("<all>"), &channel, NULL);
}

TINY_PLUGIN("params", start, NULL);
