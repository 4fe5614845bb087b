/* Dies in its `event`. */
#include <stdlib.h>

#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  (void)request;
  abort();
}

TINY_CHANNEL_PLUGIN("crash", "crash", NULL, NULL, event, NULL);
