/* Channels without functions: one with nulls, one whose table ends before them. */
#include "tiny.h"

static int32_t join(void *channel, const jf_request *request) {
  (void)channel;
  return push(request->call, "joined", "true");
}

static const jf_channel nulls = {(uint32_t)sizeof(jf_channel), NULL, NULL, NULL, NULL, NULL};
/* What lies behind the size is not to be read: the next field is no function. */
static const jf_channel ends_after_join = {
    (uint32_t)offsetof(jf_channel, event),   NULL, join, (int32_t(*)(void *, const jf_request *))1,
    (void (*)(void *, const jf_request *))1, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  (void)args;
  (void)instance;
  host = given;
  host->channel(host, text("nulls:<x>"), &nulls, NULL);
  return host->channel(host, text("short:<x>"), &ends_after_join, NULL);
}

TINY_PLUGIN("no_functions", start, NULL);
