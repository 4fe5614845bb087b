/* `match` narrows a pattern: what it leaves goes to later channels. */
#include "tiny.h"

static int32_t begins_with_y(void *channel, const jf_request *request) {
  const jf_text value = request->params[0].value;
  (void)channel;
  return request->params_count == 1 && value.size > 0 && value.data[0] == 'y';
}

static int32_t say_who(void *channel, const jf_request *request) {
  return push(request->call, "served_by", channel);
}

static const jf_channel narrow = {
    (uint32_t)sizeof(jf_channel), begins_with_y, NULL, say_who, NULL, NULL};
static const jf_channel wide = {(uint32_t)sizeof(jf_channel), NULL, NULL, say_who, NULL, NULL};

static int32_t start(const jf_host *given, const jf_start *args, void **instance) {
  static char narrow_name[] = "\"narrow\"";
  static char wide_name[] = "\"wide\"";
  (void)args;
  (void)instance;
  host = given;
  host->channel(host, text("narrowed:<x>"), &narrow, narrow_name);
  host->channel(host, text("narrowed:<x>"), &wide, wide_name);
  return host->channel(host, text("only:<x>"), &narrow, narrow_name);
}

TINY_PLUGIN("narrow", start, NULL);
