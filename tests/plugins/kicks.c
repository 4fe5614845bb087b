/* Kicks subscriptions and connections. */
#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  const jf_text code = JF_TEXT("OUT");
  (void)channel;
  if (same(request->event, "subscription")) {
    return host->kick(host, request->subscription, code, text("enough"));
  }
  if (same(request->event, "connection")) {
    push(request->call, "last", "1");
    return host->kick(host, request->connection, code, text("enough of you"));
  }
  if (same(request->event, "connection_long")) {
    char message[242] = "";
    int i;
    for (i = 0; i < 120; ++i) strcat(message, "\xc3\xbc");
    return host->kick(host, request->connection, code, text(message));
  }
  if (same(request->event, "told")) {
    return host->broadcast(host, request->topic, text("told"), request->payload, 0) >= 0
               ? JF_OK
               : JF_E_INTERNAL;
  }
  return JF_NO_EVENT;
}

TINY_CHANNEL_PLUGIN("kicks", "kicks:<x>", NULL, NULL, event, NULL);
