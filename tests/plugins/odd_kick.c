/* Closes the asker's connection with a message that holds surrogates in their three-octet form:
 * one, or far more than a reason has room for. */
#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  char message[256] = "out \xed\xa0\x80 of here";
  int i;
  (void)channel;
  if (same(request->event, "many")) {
    message[0] = '\0';
    for (i = 0; i < 60; ++i) strcat(message, "\xed\xa0\x80");
  }
  return host->kick(host, request->connection, text("OUT"), text(message));
}

TINY_CHANNEL_PLUGIN("odd_kick", "odd_kick", NULL, NULL, event, NULL);
