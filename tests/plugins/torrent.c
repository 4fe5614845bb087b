/* Blocks the loop while threads broadcast pieces of 1 MiB, until each of them is refused. Tells the
 * asker how many were taken, and whether all threads were refused with JF_E_LIMIT. */
#include <pthread.h>
#include <stdatomic.h>

#include "tiny.h"

enum { kThreads = 4, kPiece = 1 << 20, kMost = 1000 };

static char piece[kPiece];
static atomic_int taken;
static atomic_int limited;

static void *run(void *unused) {
  const jf_text payload = {piece, kPiece};
  int32_t result = JF_OK;
  int i;
  (void)unused;
  for (i = 0; i < kMost && result == JF_OK; ++i) {
    result = host->broadcast(host, text("torrent"), text("piece"), payload, 0);
    if (result == JF_OK) atomic_fetch_add(&taken, 1);
  }
  if (result == JF_E_LIMIT) atomic_fetch_add(&limited, 1);
  return NULL;
}

static int32_t event(void *channel, const jf_request *request) {
  pthread_t threads[kThreads];
  char json[64];
  int count;
  int i;
  (void)channel;
  memset(piece, 'p', kPiece);
  piece[0] = '"';
  piece[kPiece - 1] = '"';
  atomic_store(&taken, 0);
  atomic_store(&limited, 0);
  for (count = 0; count < kThreads; ++count) {
    if (pthread_create(&threads[count], NULL, run, NULL) != 0) break;
  }
  for (i = 0; i < count; ++i) pthread_join(threads[i], NULL);
  snprintf(json, sizeof json, "{\"taken\":%d,\"all_limited\":%d}", atomic_load(&taken),
           atomic_load(&limited) == kThreads);
  return push(request->call, "measured", json);
}

TINY_CHANNEL_PLUGIN("torrent", "torrent", NULL, NULL, event, NULL);
