/* Looks at the table that the host gives. */
#include "tiny.h"

static char seen[512];

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  return push(request->call, "seen", seen);
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  const int all = JF_HAS(given, channel) && JF_HAS(given, push) && JF_HAS(given, broadcast) &&
                  JF_HAS(given, reply) && JF_HAS(given, kick) && JF_HAS(given, post) &&
                  JF_HAS(given, timer) && JF_HAS(given, cancel) && JF_HAS(given, now) &&
                  JF_HAS(given, job) && JF_HAS(given, set) && JF_HAS(given, get) &&
                  JF_HAS(given, subscribers) && JF_HAS(given, connections) && JF_HAS(given, log) &&
                  JF_HAS(given, connection) && JF_HAS(given, header) && JF_HAS(given, extension);
  (void)args;
  (void)instance;
  host = given;
  snprintf(seen, sizeof seen,
           "{\"all\":%s,\"minor\":%u,\"version\":\"%.*s\",\"unknown_extension\":%s}",
           all ? "true" : "false", (unsigned)host->minor, SHOWN(host->version),
           host->extension(host, text("jackfield.unknown/1")) == NULL ? "null" : "true");
  return host->channel(host, text("host_table"), &channel, NULL);
}

TINY_PLUGIN("host_table", start, NULL);
