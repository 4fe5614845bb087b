/* Cannot take another configuration while it runs: the next generation starts with it, and with the
 * count of events so far. Its table may name files for which its start or its stop waits
 * ("start_waits", "stop_waits"), or make its start fail ("fail": true).
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "tiny.h"

static char config[4096];
static long long count;

/* The string of a member of the configuration, which has no escapes; "" where there is none. */
static void find(const char *member, char *value, size_t room) {
  char key[64];
  const char *begin;
  size_t size = 0;
  snprintf(key, sizeof key, "\"%s\":\"", member);
  begin = strstr(config, key);
  value[0] = '\0';
  if (begin == NULL) return;
  begin += strlen(key);
  while (begin[size] != '"' && begin[size] != '\0' && size + 1 < room) ++size;
  memcpy(value, begin, size);
  value[size] = '\0';
}

static void wait_for(const char *member) {
  const struct timespec pause = {0, 5000000};
  struct stat info;
  char file[1024];
  find(member, file, sizeof file);
  while (file[0] != '\0' && stat(file, &info) != 0) nanosleep(&pause, NULL);
}

static int32_t event(void *channel, const jf_request *request) {
  char json[sizeof config + 64];
  (void)channel;
  if (same(request->event, "never")) return JF_PENDING;
  snprintf(json, sizeof json, "[%lld,%s]", ++count, config);
  return push(request->call, "counted", json);
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  host = given;
  *instance = NULL;
  if (args->config.size >= sizeof config) return JF_E_LIMIT;
  memcpy(config, args->config.data, args->config.size);
  config[args->config.size] = '\0';
  count = number(args->state);
  say("it starts");
  wait_for("start_waits");
  if (strstr(config, "\"fail\":true") != NULL) {
    host->log(host, JF_LOG_ERROR, text("it is told to fail"), NULL, 0);
    return JF_E_ARGUMENT;
  }
  return host->channel(host, text("restarts"), &channel, NULL);
}

static void stop(void *instance) {
  (void)instance;
  wait_for("stop_waits");
}

static int32_t save(void *instance, const jf_output *output, uint32_t *state_version) {
  char state[32];
  (void)instance;
  snprintf(state, sizeof state, "%lld", count);
  *state_version = 1;
  return output->write(output, text(state));
}

JF_PLUGIN = {(uint32_t)sizeof(jf_plugin),
             JF_ABI_MINOR,
             JF_TEXT("restarts"),
             JF_TEXT("1.2.3"),
             JF_TEXT("a tiny test plugin"),
             JF_TEXT("MIT"),
             start,
             stop,
             NULL,
             save,
             NULL};
