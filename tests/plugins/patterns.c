/* Registers malformed and well-formed patterns and remembers what the host said to each. */
#include "tiny.h"

static char results[2048];

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  return push(request->call, "results", results);
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  static const char *const patterns[] = {"",
                                         "a:",
                                         ":a",
                                         "a::b",
                                         "a:<>",
                                         "a:<1x>",
                                         "a:<x-y>",
                                         "<x>:<x>",
                                         "a:< x>",
                                         "patterns",
                                         "a:<_x1>",
                                         "a:<x>:b:<y>",
                                         "gr\xc3\xbcn:<x>",
                                         "a:<x>:<y>:<z>"};
  size_t used = 1;
  size_t i;
  (void)args;
  (void)instance;
  host = given;
  results[0] = '[';
  for (i = 0; i < sizeof patterns / sizeof *patterns; ++i) {
    const int32_t result = host->channel(host, text(patterns[i]), &channel, NULL);
    used += (size_t)snprintf(results + used, sizeof results - used, "%s[\"%s\",%d]",
                             i > 0 ? "," : "", patterns[i], (int)result);
  }
  snprintf(results + used, sizeof results - used, "]");
  return JF_OK;
}

TINY_PLUGIN("patterns", start, NULL);
