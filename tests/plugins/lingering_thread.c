/* Starts a thread and leaves it behind when it stops. The configuration says what the thread does:
 *
 *   {"until":PATH}               waits until somebody writes to the pipe of that name
 *   {"until":PATH,"busy":true}   the same, but busy, and asks the pipe again and again
 *   {"until":PATH,"calls":true}  calls the host's functions all the time, until there is a file of
 *                                that name
 *   {"joined":true}              waits until `stop`, which joins it: nothing is left behind
 *   {}                           waits for ever
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "jackfield_json.h"
#include "tiny.h"

static pthread_t thread;
static int joined;
static int pipe_ends[2] = {-1, -1};

/* Those who end by themselves are given a path, which they free, and touch nothing of the image's
 * memory: nobody joins them, so the next image, which may come to be where this one was, would look
 * to ThreadSanitizer as if it raced with them. */
static void *wait_for_writer(void *path) {
  char octet;
  const int end = open(path, O_RDONLY | O_CLOEXEC); /* waits for one who opens it to write */
  while (end >= 0 && read(end, &octet, 1) < 0) {
  }
  if (end >= 0) close(end);
  free(path);
  return NULL;
}

static void *be_busy(void *path) {
  char octet;
  unsigned long turns = 0;
  const int end = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  while (end >= 0 && (++turns % 1000000 != 0 || read(end, &octet, 1) != 1)) {
  }
  if (end >= 0) close(end);
  free(path);
  return NULL;
}

/* What any thread may call, whoever is served by then. The id is nobody's. */
static void *call_host(void *path) {
  const jf_id nobody = (jf_id)1 << 60;
  const struct timespec pause = {0, 200000};
  const jf_text null = JF_TEXT("null");
  while (access(path, F_OK) != 0) {
    host->push(host, nobody, text("late"), null);
    host->broadcast(host, text("lingering_thread"), text("late"), null, 0);
    host->reply(host, nobody, text(""), text(""));
    host->kick(host, nobody, text("LATE"), text("late"));
    host->log(host, JF_LOG_DEBUG, text("a lingering thread calls"), NULL, 0);
    host->now(host);
    nanosleep(&pause, NULL);
  }
  say("a lingering thread ends");
  free(path);
  return NULL;
}

static void *wait_for_stop(void *unused) {
  char octet;
  (void)unused;
  while (read(pipe_ends[0], &octet, 1) < 0) {
  }
  return NULL;
}

static void *wait_for_ever(void *unused) {
  (void)unused;
  for (;;) pause();
  return NULL;
}

static int is_true(jf_text config, const char *key) {
  jf_text value;
  return jf_json_get(config, text(key), &value) && same(value, "true");
}

static int begin(jf_text config) {
  jf_text until;
  char *path = NULL;
  void *(*routine)(void *) = wait_for_ever;
  if (is_true(config, "joined")) {
    joined = 1;
    if (pipe(pipe_ends) != 0) return -1;
    routine = wait_for_stop;
  } else if (jf_json_get(config, text("until"), &until) && until.size > 2) {
    path = malloc(until.size - 1); /* without its quotes, with a NUL */
    if (path == NULL) return -1;
    memcpy(path, until.data + 1, until.size - 2);
    path[until.size - 2] = '\0';
    routine = wait_for_writer;
    if (is_true(config, "busy")) routine = be_busy;
    if (is_true(config, "calls")) routine = call_host;
  }
  return pthread_create(&thread, NULL, routine, path);
}

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  return push(request->call, "here", "true");
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  (void)instance;
  host = given;
  if (begin(args->config) != 0) return JF_E_INTERNAL;
  return host->channel(host, text("lingering_thread"), &channel, NULL);
}

static void stop(void *instance) {
  (void)instance;
  if (!joined) {
    pthread_detach(thread);
    return;
  }
  close(pipe_ends[1]); /* the end of what the thread reads */
  pthread_join(thread, NULL);
  close(pipe_ends[0]);
}

TINY_PLUGIN("lingering_thread", start, stop);
