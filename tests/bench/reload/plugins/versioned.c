/* Says which version it is, for tests/bench/reload.sh: channel `versioned_c:<name>`.
 *
 *   event version   pushes `version` with BENCH_VERSION
 *
 * Hands over how often it was asked, and adopts, so that a replacement is a whole one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jackfield.h"

struct asked {
  const jf_host *host;
  unsigned long count;
};

static jf_text text(const char *ended) {
  const jf_text made = {ended, strlen(ended)};
  return made;
}

static int32_t event(void *channel, const jf_request *request) {
  struct asked *asked = channel;
  char version[16];
  if (request->event.size != 7 || memcmp(request->event.data, "version", 7) != 0) {
    return JF_NO_EVENT;
  }
  ++asked->count;
  snprintf(version, sizeof version, "%d", BENCH_VERSION);
  return asked->host->push(asked->host, request->call, text("version"), text(version));
}

static int32_t adopt(void *channel, const jf_request *request) {
  (void)channel;
  (void)request;
  return JF_OK;
}

static const jf_channel handlers = {sizeof(jf_channel), NULL, NULL, event, NULL, adopt};

static int32_t start(const jf_host *host, const jf_start *args, void **instance) {
  struct asked *asked = malloc(sizeof *asked);
  char digits[32] = "0";
  int32_t result;
  if (asked == NULL) return JF_E_INTERNAL;
  if (args->state_version == 1 && args->state.size < sizeof digits) {
    memcpy(digits, args->state.data, args->state.size);
    digits[args->state.size] = '\0';
  }
  asked->host = host;
  asked->count = strtoul(digits, NULL, 10);
  result = host->channel(host, text("versioned_c:<name>"), &handlers, asked);
  if (result < 0) {
    free(asked);
    return result;
  }
  *instance = asked;
  return JF_OK;
}

static void stop(void *instance) { free(instance); }

static int32_t save(void *instance, const jf_output *output, uint32_t *state_version) {
  const struct asked *asked = instance;
  char digits[32];
  snprintf(digits, sizeof digits, "%lu", asked->count);
  *state_version = 1;
  return output->write(output, text(digits));
}

#define TEXT_OF_(NUMBER) #NUMBER
#define TEXT_OF(NUMBER) TEXT_OF_(NUMBER)

JF_PLUGIN = {sizeof(jf_plugin),
             JF_ABI_MINOR,
             JF_TEXT("versioned_c"),
             JF_TEXT(TEXT_OF(BENCH_VERSION) ".0.0"),
             JF_TEXT("Says its version, in C"),
             JF_TEXT("MIT"),
             start,
             stop,
             NULL,
             save,
             NULL};
