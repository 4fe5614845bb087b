/* Shows its configuration, and that `stop` gets the instance that `start` gave. */
#include <stdlib.h>

#include "tiny.h"

static char *config;

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  return push(request->call, "config", config);
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  host = given;
  if (args->size < sizeof(jf_start) || args->state_version != 0 || args->state.size != 0) {
    return JF_E_STATE;
  }
  config = malloc(args->config.size + 1);
  if (config == NULL) return JF_E_LIMIT;
  memcpy(config, args->config.data, args->config.size);
  config[args->config.size] = '\0';
  *instance = &config;
  say("config starts");
  return host->channel(host, text("config"), &channel, NULL);
}

static void stop(void *instance) {
  say(instance == &config ? "config stops with its instance"
                          : "config stops with another instance");
  free(config);
}

TINY_PLUGIN("config", start, stop);
