/* Linked with -z nodelete: the loader never unmaps it. */
#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  return push(request->call, "here", "true");
}

TINY_CHANNEL_PLUGIN("nodelete", "nodelete", NULL, NULL, event, NULL);
