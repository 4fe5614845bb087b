/* Blocks the loop for good. Says in the log when it is blocked, and when a signal has arrived
 * since: that one's handler has returned by then. */
#include <signal.h>
#include <unistd.h>

#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  sigset_t stops;
  sigset_t usual;
  (void)channel;
  (void)request;
  /* None may arrive between the words and the wait. */
  sigemptyset(&stops);
  sigaddset(&stops, SIGTERM);
  sigaddset(&stops, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stops, &usual);
  say("busy for good");
  sigsuspend(&usual);
  say("a signal has arrived");
  pthread_sigmask(SIG_SETMASK, &usual, NULL);
  while (1) pause();
  return JF_OK;
}

TINY_CHANNEL_PLUGIN("busy", "busy", NULL, NULL, event, NULL);
