/* Refuses to be joined, in the way that the topic says, after it pushed and broadcast. */
#include "tiny.h"

static jf_id waiting;
static int joined;

static void refuse_waiting(void *user, jf_id timer) {
  (void)user;
  (void)timer;
  host->reply(host, waiting, text("NOT_TODAY"), text("come back tomorrow"));
}

static int32_t join(void *channel, const jf_request *request) {
  const jf_text how = request->params[0].value;
  jf_id timer;
  (void)channel;
  if (same(how, "second") && !joined++) return JF_OK;
  push(request->call, "early", "1");
  push(request->subscription, "early", "2");
  broadcast(request->topic, "early", "3");
  if (same(how, "reply")) {
    host->reply(host, request->call, text("NOT_TODAY"), text("come back tomorrow"));
    return JF_PENDING;
  }
  if (same(how, "later")) {
    waiting = request->call;
    host->timer(host, 10, 0, refuse_waiting, NULL, &timer);
    return JF_PENDING;
  }
  return JF_E_FORBIDDEN;
}

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  return host->broadcast(host, request->topic, text("told"), request->payload, 0) >= 0
             ? JF_OK
             : JF_E_INTERNAL;
}

static void leave(void *channel, const jf_request *request) {
  jf_field field = {JF_TEXT("topic"), {NULL, 0}};
  (void)channel;
  field.value = request->topic;
  host->log(host, JF_LOG_INFO, text("refuse left"), &field, 1);
}

TINY_CHANNEL_PLUGIN("refuse", "refuse:<how>", NULL, join, event, leave);
