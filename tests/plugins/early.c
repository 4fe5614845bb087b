/* `join` says much before it is over: all of it arrives after `subscribed`, in its order. */
#include "tiny.h"

static int32_t join(void *channel, const jf_request *request) {
  (void)channel;
  push(request->call, "first", "1");
  push(request->subscription, "second", "2");
  broadcast(request->topic, "third", "3");
  push(request->call, "fourth", "4");
  return JF_OK;
}

TINY_CHANNEL_PLUGIN("early", "early:<x>", NULL, join, NULL, NULL);
