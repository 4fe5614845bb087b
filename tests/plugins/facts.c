/* Says what the host knows about the sender's connection. */
#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  char json[1024];
  jf_connection facts = {
      (uint32_t)sizeof(jf_connection), 0, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
  jf_text team = {NULL, 0};
  jf_text hidden = {NULL, 0};
  (void)channel;
  if (host->connection(host, request->connection, &facts) != JF_OK) return JF_E_INTERNAL;
  host->header(host, request->connection, text("x-team"), &team);
  host->header(host, request->connection, text("x-hidden"), &hidden);
  snprintf(json, sizeof json,
           "{\"is_local\":%u,\"peer\":\"%.*s\",\"identity\":\"%.*s\",\"path\":\"%.*s\",\"query\":\"%.*s\","
           "\"x-team\":\"%.*s\",\"x-hidden\":\"%.*s\"}",
           (unsigned)facts.is_local, SHOWN(facts.peer), SHOWN(facts.identity), SHOWN(facts.path), SHOWN(facts.query),
           SHOWN(team), SHOWN(hidden));
  return push(request->call, "facts", json);
}

TINY_CHANNEL_PLUGIN("facts", "facts", NULL, NULL, event, NULL);
