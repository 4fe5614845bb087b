/* Dies as a client's event says, on topics `crash` and `crash:<x>`:
 *   segv          writes to address 0
 *   fpe           divides by 0
 *   overflow      overflows its stack
 *   thread        segv, in a thread of its own
 *   thread_abort  abort, in a thread of its own
 *   work          segv, in a job's `work`
 *   timer         segv, in a timer's `fired`
 *   any other     abort
 * Built anew it dies earlier: CRASH_IN_LOAD, CRASH_IN_START and CRASH_IN_LEAVE are a segv there. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "tiny.h"

#ifndef CRASH_NAME
#define CRASH_NAME "crash"
#endif

/* UBSan would find these before the machine does. */
#define UNCHECKED __attribute__((no_sanitize("undefined")))

static volatile int zero;

UNCHECKED static void write_nowhere(void) {
  volatile int *volatile nowhere = NULL;
  *nowhere = 1;
}

UNCHECKED static void divide_by_zero(void) {
  zero = 1 / zero;
  raise(SIGFPE); /* machines on which that is 0 */
}

static int overflow(int depth) {
  volatile char frame[512]; /* less than a guard page, with some calls inlined */
  frame[0] = (char)depth;
  if (zero == 1) return 0;
  return overflow(depth + 1) + frame[0];
}

static void *run_segv(void *unused) {
  write_nowhere();
  return unused;
}

static void *run_abort(void *unused) {
  abort();
  return unused;
}

static int32_t in_thread(void *(*run)(void *)) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, run, NULL) != 0) return JF_E_INTERNAL;
  pthread_join(thread, NULL);
  return JF_OK;
}

static int32_t work(void *user, jf_text bytes, const jf_output *output) {
  (void)user;
  (void)bytes;
  (void)output;
  write_nowhere();
  return JF_OK;
}

static void fired(void *user, jf_id timer) {
  (void)user;
  (void)timer;
  write_nowhere();
}

static int32_t event(void *channel, const jf_request *request) {
  jf_id timer;
  (void)channel;
  if (same(request->event, "segv")) {
    write_nowhere();
  } else if (same(request->event, "fpe")) {
    divide_by_zero();
  } else if (same(request->event, "overflow")) {
    return overflow(0);
  } else if (same(request->event, "thread")) {
    return in_thread(run_segv);
  } else if (same(request->event, "thread_abort")) {
    return in_thread(run_abort);
  } else if (same(request->event, "work")) {
    return host->job(host, text(""), work, NULL, NULL);
  } else if (same(request->event, "timer")) {
    return host->timer(host, 1, 0, fired, NULL, &timer);
  } else {
    abort();
  }
  return JF_OK;
}

#ifdef CRASH_IN_LOAD
__attribute__((constructor)) static void load(void) { write_nowhere(); }
#endif

#ifdef CRASH_IN_LEAVE
static void leave(void *channel, const jf_request *request) {
  (void)channel;
  (void)request;
  write_nowhere();
}
#else
#define leave NULL
#endif

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, leave, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  (void)args;
  host = given;
  *instance = NULL;
#ifdef CRASH_IN_START
  write_nowhere();
#endif
  if (host->channel(host, text(CRASH_NAME), &channel, NULL) != JF_OK) return JF_E_INTERNAL;
  return host->channel(host, text(CRASH_NAME ":<x>"), &channel, NULL);
}

static void stop(void *instance) { (void)instance; }

TINY_PLUGIN(CRASH_NAME, start, stop);
