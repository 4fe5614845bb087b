/* Tries to become root again, in each way that there is, and says what came of it. */
#include <unistd.h>

#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  char json[256];
  int ways = 0;
  (void)channel;
  if (setuid(0) == 0) ways |= 1;
  if (seteuid(0) == 0) ways |= 2;
  if (setgid(0) == 0) ways |= 4;
  if (setegid(0) == 0) ways |= 8;
  snprintf(json, sizeof json, "{\"ways\":%d,\"uid\":%ld,\"euid\":%ld,\"gid\":%ld}", ways,
           (long)getuid(), (long)geteuid(), (long)getgid());
  return push(request->call, "climbed", json);
}

TINY_CHANNEL_PLUGIN("climbs", "climbs", NULL, NULL, event, NULL);
