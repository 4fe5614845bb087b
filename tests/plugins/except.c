/* Broadcasts to all but the sender, and says how many that were. */
#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  char json[16];
  const int32_t count = host->broadcast(host, request->topic, text("told"), request->payload,
                                        same(request->event, "others") ? request->subscription : 0);
  (void)channel;
  snprintf(json, sizeof json, "%d", (int)count);
  return push(request->call, "count", json);
}

TINY_CHANNEL_PLUGIN("except", "except:<x>", NULL, NULL, event, NULL);
