/* `start` begins many things and then fails: nothing of them may stay. */
#include "tiny.h"

static void fired(void *user, jf_id timer) {
  (void)user;
  (void)timer;
  say("a timer of a failed start");
}

static void posted(void *user, jf_text bytes) {
  (void)user;
  (void)bytes;
  say("a post of a failed start");
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, NULL, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  jf_id timer;
  (void)args;
  (void)instance;
  host = given;
  host->channel(host, text("failing:<x>"), &channel, NULL);
  host->timer(host, 1, 1, fired, NULL, &timer);
  host->post(host, text("{}"), posted, NULL);
  host->log(host, JF_LOG_ERROR, text("the device is missing"), NULL, 0);
  return JF_E_FORBIDDEN;
}

static void stop(void *instance) {
  (void)instance;
  say("a stop of a failed start");
}

TINY_PLUGIN("start_fails", start, stop);
