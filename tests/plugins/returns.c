/* Returns whatever number it is told to: from `join` the topic's, from `event` the payload's. */
#include "tiny.h"

static int32_t join(void *channel, const jf_request *request) {
  (void)channel;
  return (int32_t)number(request->params[0].value);
}

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  return (int32_t)number(request->payload);
}

static void leave(void *channel, const jf_request *request) {
  jf_field field = {JF_TEXT("topic"), {NULL, 0}};
  (void)channel;
  field.value = request->topic;
  host->log(host, JF_LOG_INFO, text("returns left"), &field, 1);
}

TINY_CHANNEL_PLUGIN("returns", "returns:<code>", NULL, join, event, leave);
