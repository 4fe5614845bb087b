/* Needs a function that nobody has: with RTLD_NOW it fails at loading, not at the first event. */
#include "tiny.h"

extern int32_t a_function_that_nobody_has(void);

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  (void)request;
  return a_function_that_nobody_has();
}

TINY_CHANNEL_PLUGIN("unresolved", "unresolved:<x>", NULL, NULL, event, NULL);
