/* Calls the host with arguments that it must refuse. What follows shows that nothing of them
 * reached a client. */
#include <stdlib.h>

#include "tiny.h"

static char results[1024];
static size_t used;

static void note(const char *what, int32_t result) {
  used += (size_t)snprintf(results + used, sizeof results - used, "%s\"%s\":%d",
                           used > 1 ? "," : "", what, (int)result);
}

static int32_t event(void *channel, const jf_request *request) {
  static const jf_channel other = {(uint32_t)sizeof(jf_channel), NULL, NULL, NULL, NULL, NULL};
  static const char *const not_json[] = {"",
                                         "{",
                                         "01",
                                         "1,2",
                                         "'a'",
                                         "nul",
                                         "[1]]",
                                         "1],\"x\",[2",
                                         "\"\n\"",
                                         "\"\xff\"",
                                         "\357\273\2771"};
  const jf_text nul_within = {"a\0b", 3};
  const jf_text null_of_three = {NULL, 3};
  const jf_text not_utf8 = JF_TEXT("\xff");
  const jf_text one = JF_TEXT("1");
  const jf_text name = JF_TEXT("stray");
  const jf_id call = request->call;
  int32_t worst = JF_E_JSON;
  size_t i;
  (void)channel;
  results[0] = '{';
  used = 1;
  for (i = 0; i < sizeof not_json / sizeof *not_json; ++i) {
    const int32_t pushed = push(call, "stray", not_json[i]);
    const int32_t told = broadcast(request->topic, "stray", not_json[i]);
    if (pushed != JF_E_JSON) worst = pushed;
    if (told != JF_E_JSON) worst = told;
  }
  note("not_json", worst);
  note("push_null_payload", host->push(host, call, name, null_of_three));
  note("push_null_event", host->push(host, call, null_of_three, one));
  note("push_nul_in_event", host->push(host, call, nul_within, one));
  note("push_event_not_utf8", host->push(host, call, not_utf8, one));
  note("broadcast_nul_in_topic", host->broadcast(host, nul_within, name, one, 0));
  note("broadcast_topic_not_utf8", host->broadcast(host, not_utf8, name, one, 0));
  note("reply_not_utf8", host->reply(host, call, text("CODE"), not_utf8));
  note("post_null", host->post(host, one, NULL, NULL));
  note("job_null", host->job(host, one, NULL, NULL, NULL));
  note("timer_null", host->timer(host, 1, 0, NULL, NULL, NULL));
  note("connection_null", host->connection(host, request->connection, NULL));
  note("channel_outside_start", host->channel(host, text("late:<x>"), &other, NULL));
  snprintf(results + used, sizeof results - used, "}");
  return push(call, "results", results);
}

TINY_CHANNEL_PLUGIN("bad_calls", "bad_calls", NULL, NULL, event, NULL);
