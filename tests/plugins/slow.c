/* Blocks the loop for as many milliseconds as the payload says. */
#include <time.h>

#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  const long long milliseconds = number(request->payload);
  struct timespec time;
  (void)channel;
  time.tv_sec = (time_t)(milliseconds / 1000);
  time.tv_nsec = (long)(milliseconds % 1000) * 1000000;
  nanosleep(&time, NULL);
  return push(request->call, "awake", "true");
}

TINY_CHANNEL_PLUGIN("slow", "slow", NULL, NULL, event, NULL);
