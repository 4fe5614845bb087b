/* Serves a pattern that another plugin serves too; the build gives the name. */
#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  return push(request->call, "served_by", "\"" OVERLAP_NAME "\"");
}

TINY_CHANNEL_PLUGIN(OVERLAP_NAME, "both:<x>", NULL, NULL, event, NULL);
