/* Keeps bytes with a subscription. */
#include <stdlib.h>

#include "tiny.h"

static int32_t show(jf_id subscription, jf_id target) {
  jf_text kept = {NULL, 0};
  const int32_t result = host->get(host, subscription, &kept);
  if (result != JF_OK) return result;
  return host->push(host, target, text("kept"), kept.size > 0 ? kept : text("null"));
}

static int32_t join(void *channel, const jf_request *request) {
  jf_text before = {NULL, 0};
  (void)channel;
  host->get(host, request->subscription, &before);
  if (before.size == 0) host->set(host, request->subscription, text("\"set in join\""));
  return show(request->subscription, request->call);
}

static int32_t set_large(const jf_request *request) {
  char json[32];
  const jf_text bytes = {calloc(1, (size_t)number(request->payload)),
                         (size_t)number(request->payload)};
  const int32_t result = host->set(host, request->subscription, bytes);
  free((void *)(uintptr_t)bytes.data);
  snprintf(json, sizeof json, "%d", (int)result);
  return push(request->call, "result", json);
}

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  if (same(request->event, "set")) {
    return host->set(host, request->subscription, request->payload);
  }
  if (same(request->event, "clear")) return host->set(host, request->subscription, text(""));
  if (same(request->event, "get")) return show(request->subscription, request->call);
  if (same(request->event, "large")) return set_large(request);
  return JF_NO_EVENT;
}

TINY_CHANNEL_PLUGIN("keeps", "keeps:<x>", NULL, join, event, NULL);
