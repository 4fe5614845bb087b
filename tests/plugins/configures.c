/* Takes another configuration while it runs, unless that says `"refuse": true`, and shows it. */
#include <stdlib.h>

#include "tiny.h"

static char *config;

static int32_t take(jf_text given) {
  char *taken = malloc(given.size + 1);
  if (taken == NULL) return JF_E_LIMIT;
  memcpy(taken, given.data, given.size);
  taken[given.size] = '\0';
  if (strstr(taken, "\"refuse\":true") != NULL) {
    free(taken);
    host->log(host, JF_LOG_ERROR, text("refuse is true"), NULL, 0);
    return JF_E_ARGUMENT;
  }
  free(config);
  config = taken;
  return JF_OK;
}

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  return push(request->call, "config", config);
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  int32_t result;
  host = given;
  *instance = NULL;
  result = take(args->config);
  if (result != JF_OK) return result;
  return host->channel(host, text("configures"), &channel, NULL);
}

static void stop(void *instance) {
  (void)instance;
  free(config);
}

static int32_t configure(void *instance, jf_text given) {
  (void)instance;
  return take(given);
}

JF_PLUGIN = {(uint32_t)sizeof(jf_plugin),
             JF_ABI_MINOR,
             JF_TEXT("configures"),
             JF_TEXT("1.2.3"),
             JF_TEXT("a tiny test plugin"),
             JF_TEXT("MIT"),
             start,
             stop,
             configure,
             NULL,
             NULL};
