/* Says much at once: `me` pushes as many pieces of 64 KiB as the payload says, `all` broadcasts
 * them. What is done is told on topic `flood:watch`. */
#include "tiny.h"

enum { kPiece = 65536 };
static char piece[kPiece + 1];

static int32_t event(void *channel, const jf_request *request) {
  const int to_all = same(request->event, "all");
  long long left = number(request->payload);
  char json[32];
  long long sent = 0;
  (void)channel;
  for (; left > 0; --left) {
    const jf_text payload = {piece, kPiece};
    const int32_t result = to_all
                               ? host->broadcast(host, text("flood:all"), text("piece"), payload, 0)
                               : host->push(host, request->call, text("piece"), payload);
    if (result < 0) break;
    ++sent;
  }
  snprintf(json, sizeof json, "[%lld,%lld]", sent,
           (long long)host->subscribers(host, text("flood:all")));
  return broadcast(text("flood:watch"), "flooded", json) >= 0 ? JF_OK : JF_E_INTERNAL;
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  (void)args;
  (void)instance;
  host = given;
  memset(piece, 'x', kPiece);
  piece[0] = '"';
  piece[kPiece - 1] = '"';
  return host->channel(host, text("flood:<x>"), &channel, NULL);
}

TINY_PLUGIN("flood", start, NULL);
