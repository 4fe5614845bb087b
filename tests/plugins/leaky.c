/* Loses memory: shows that the search for leaks finds one. */
#include <stdlib.h>

#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  char *lost = malloc(4321);
  (void)channel;
  if (lost == NULL) return JF_E_INTERNAL;
  snprintf(lost, 4321, "\"%d\"", (int)request->payload.size);
  return push(request->call, "lost", lost);
}

TINY_CHANNEL_PLUGIN("leaky", "leaky", NULL, NULL, event, NULL);
