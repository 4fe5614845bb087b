/* Timers: once, repeated, cancelled, in order, too many. */
#include "tiny.h"

enum { kMost = 20000 };

static const jf_text topic = JF_TEXT("timers:watch");
static uint64_t begun;
static int ticks;
static int inside_event;
static jf_id made[kMost];

static void told(const char *event, long long value) {
  char json[32];
  snprintf(json, sizeof json, "%lld", value);
  broadcast(topic, event, json);
}

static void once(void *user, jf_id timer) {
  (void)timer;
  told(inside_event ? "wrong" : user, (long long)(host->now(host) - begun));
}

static void tick(void *user, jf_id timer) {
  jf_id last;
  static char after[] = "after_ticks";
  (void)user;
  told("tick", ++ticks);
  if (ticks < 5) return;
  ticks = (int)host->cancel(host, timer) == JF_OK ? 100 : 200;
  host->timer(host, 30, 0, once, after, &last);
}

static int32_t too_many(void) {
  char json[64];
  int count = 0;
  int cancelled = 0;
  int32_t result = JF_OK;
  while (count < kMost &&
         (result = host->timer(host, 3600000, 0, once, NULL, &made[count])) == JF_OK) {
    ++count;
  }
  while (cancelled < count && host->cancel(host, made[cancelled]) == JF_OK) ++cancelled;
  snprintf(json, sizeof json, "[%d,%d,%d]", count, (int)result, cancelled);
  return broadcast(topic, "too_many", json) >= 0 ? JF_OK : JF_E_INTERNAL;
}

static int32_t event(void *channel, const jf_request *request) {
  static char names[][8] = {"once", "late", "later", "latest", "zero", "over"};
  jf_id timer = 0;
  (void)channel;
  begun = host->now(host);
  if (same(request->event, "once")) return host->timer(host, 20, 0, once, names[0], &timer);
  if (same(request->event, "every")) {
    ticks = 0;
    return host->timer(host, 5, 5, tick, NULL, &timer);
  }
  if (same(request->event, "order")) {
    host->timer(host, 60, 0, once, names[3], &timer);
    host->timer(host, 20, 0, once, names[1], &timer);
    return host->timer(host, 40, 0, once, names[2], &timer);
  }
  if (same(request->event, "zero")) {
    int32_t result;
    inside_event = 1;
    result = host->timer(host, 0, 0, once, names[4], &timer);
    inside_event = 0;
    return result;
  }
  if (same(request->event, "cancelled")) {
    host->timer(host, 1, 0, once, names[1], &timer);
    told("first_cancel", host->cancel(host, timer));
    told("second_cancel", host->cancel(host, timer));
    return host->timer(host, 30, 0, once, names[5], &timer);
  }
  if (same(request->event, "too_many")) return too_many();
  return JF_NO_EVENT;
}

TINY_CHANNEL_PLUGIN("timers", "timers:<x>", NULL, NULL, event, NULL);
