/* Uses ids that name nothing, or nothing any more. */
#include "tiny.h"

static jf_id old_subscription;
static jf_id old_call;
static jf_id old_connection;

static int32_t join(void *channel, const jf_request *request) {
  (void)channel;
  if (old_subscription == 0) {
    old_subscription = request->subscription;
    old_call = request->call;
    old_connection = request->connection;
  }
  return JF_OK;
}

static void try_all(const jf_request *request, const char *event, jf_id subscription, jf_id call,
                    jf_id connection) {
  char json[256];
  jf_connection facts = {
      (uint32_t)sizeof(jf_connection), 0, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
  jf_text value = {NULL, 0};
  snprintf(json, sizeof json, "[%d,%d,%d,%d,%d,%d,%d,%d]", (int)push(subscription, "stray", "1"),
           (int)push(call, "stray", "1"), (int)host->reply(host, call, text("A"), text("b")),
           (int)host->kick(host, subscription, text("A"), text("b")),
           (int)host->set(host, subscription, text("x")),
           (int)host->get(host, subscription, &value),
           (int)host->connection(host, connection, &facts),
           (int)host->header(host, connection, text("x"), &value));
  push(request->call, event, json);
}

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  try_all(request, "none", 0, 0, 0);
  try_all(request, "never_given", UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 2);
  try_all(request, "old", old_subscription, old_call, old_connection);
  return JF_OK;
}

TINY_CHANNEL_PLUGIN("gone_ids", "gone_ids:<x>", NULL, join, event, NULL);
