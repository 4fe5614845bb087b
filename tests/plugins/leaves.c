/* Tells of each leave, with its reason, on topic `leaves:watch` and in the log; and what a leave
 * may still do with its subscription. */
#include "tiny.h"

static int32_t join(void *channel, const jf_request *request) {
  (void)channel;
  host->set(host, request->subscription, request->topic);
  return same(request->params[0].value, "refused") ? JF_E_FORBIDDEN : JF_OK;
}

static void leave(void *channel, const jf_request *request) {
  char json[256];
  char reason[16];
  jf_text kept = {NULL, 0};
  jf_field fields[2] = {{JF_TEXT("topic"), {NULL, 0}}, {JF_TEXT("why"), {NULL, 0}}};
  const int32_t pushed = push(request->subscription, "late", "1");
  const int32_t got = host->get(host, request->subscription, &kept);
  (void)channel;
  snprintf(reason, sizeof reason, "%u", (unsigned)request->reason);
  fields[0].value = request->topic;
  fields[1].value = text(reason);
  host->log(host, JF_LOG_INFO, text("somebody left"), fields, 2);
  snprintf(json, sizeof json,
           "{\"topic\":\"%.*s\",\"reason\":%s,\"push\":%d,\"get\":%d,\"kept\":\"%.*s\"}",
           SHOWN(request->topic), reason, (int)pushed, (int)got, SHOWN(kept));
  broadcast(text("leaves:watch"), "left", json);
}

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  if (same(request->event, "kick")) {
    return host->kick(host, request->subscription, text("OUT"), text("enough"));
  }
  return JF_NO_EVENT;
}

TINY_CHANNEL_PLUGIN("leaves", "leaves:<x>", NULL, join, event, leave);
