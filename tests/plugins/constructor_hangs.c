/* Its image is not mapped before there is a file `constructor-go` in $RUNTIME_DIRECTORY: a static
 * constructor waits for it, for 20 seconds at most. Then it is a plugin as others are. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tiny.h"

enum { kMostWaits = 4000 };

__attribute__((constructor)) static void wait_for_file(void) {
  const struct timespec pause = {0, 5000000};
  const char *folder = getenv("RUNTIME_DIRECTORY");
  char path[512];
  int waits;
  if (folder == NULL) return;
  snprintf(path, sizeof path, "%s/constructor-go", folder);
  for (waits = 0; waits < kMostWaits && access(path, F_OK) != 0; ++waits) nanosleep(&pause, NULL);
}

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  return push(request->call, "here", "true");
}

TINY_CHANNEL_PLUGIN("constructor_hangs", "constructor_hangs", NULL, NULL, event, NULL);
