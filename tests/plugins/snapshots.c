/* Each join pushes a snapshot of as many octets as the topic says. */
#include <stdlib.h>

#include "tiny.h"

static int32_t join(void *channel, const jf_request *request) {
  const size_t size = (size_t)number(request->params[0].value);
  char *json = malloc(size);
  const jf_text payload = {json, size};
  int32_t result;
  (void)channel;
  if (size < 2 || json == NULL) {
    free(json);
    return JF_E_INTERNAL;
  }
  memset(json, 's', size);
  json[0] = '"';
  json[size - 1] = '"';
  result = host->push(host, request->call, text("snapshot"), payload);
  free(json);
  return result;
}

TINY_CHANNEL_PLUGIN("snapshots", "snapshots:<octets>:<x>", NULL, join, NULL, NULL);
