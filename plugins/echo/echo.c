/* The smallest plugin, in plain C: channel `echo:<name>`.
 *
 *   join         pushes `snapshot` {"name":NAME,"subscribers":N}; N counts the one who joins
 *   event echo   pushes `echoed` with the very payload
 *   event say    wants {"text":string,...}, broadcasts `said` with the very payload
 *   event fail   fails with "boom failed"
 */
#include <stdio.h>
#include <stdlib.h>

#include "jackfield.h"
#include "jackfield_json.h"

static jf_text text(const char* literal) {
  const jf_text result = {literal, strlen(literal)};
  return result;
}

static int is(jf_text event, const char* name) {
  return event.size == strlen(name) && memcmp(event.data, name, event.size) == 0;
}

static int32_t join(void* channel, const jf_request* request) {
  const jf_host* host = channel;
  const jf_text name = request->params[0].value;
  const size_t quoted = jf_json_quote(name, NULL, 0);
  const size_t capacity = quoted + sizeof "{\"name\":,\"subscribers\":}" + 20;
  int64_t subscribers = host->subscribers(host, request->topic);
  jf_text mark;
  jf_text payload;
  char* json;
  int32_t result;
  if (subscribers < 0) return JF_E_INTERNAL;

  /* `subscribers` does not count those who are still joining. Who joins once more is counted: it
   * has the mark that its first join left. */
  result = host->get(host, request->subscription, &mark);
  if (result < 0) return result;
  if (mark.size == 0) {
    ++subscribers;
    result = host->set(host, request->subscription, text("1"));
    if (result < 0) return result;
  }

  json = malloc(capacity);
  if (json == NULL) return JF_E_INTERNAL;
  memcpy(json, "{\"name\":", 8);
  jf_json_quote(name, json + 8, quoted);
  payload.data = json;
  payload.size = 8 + quoted;
  payload.size += (size_t)snprintf(json + payload.size, capacity - payload.size,
                                   ",\"subscribers\":%lld}", (long long)subscribers);
  result = host->push(host, request->call, text("snapshot"), payload);
  free(json);
  return result < 0 ? result : JF_OK;
}

static int32_t fail(const jf_host* host, const jf_request* request, const char* code,
                    const char* message) {
  const int32_t result = host->reply(host, request->call, text(code), text(message));
  return result < 0 ? result : JF_PENDING;
}

static int32_t event(void* channel, const jf_request* request) {
  const jf_host* host = channel;
  jf_text value;
  int32_t result;
  if (is(request->event, "echo")) {
    result = host->push(host, request->call, text("echoed"), request->payload);
    return result < 0 ? result : JF_OK;
  }
  if (is(request->event, "say")) {
    if (jf_json_type(request->payload) != JF_JSON_OBJECT) {
      return fail(host, request, "INVALID_PAYLOAD", "payload: must be an object");
    }
    if (!jf_json_get(request->payload, text("text"), &value)) {
      return fail(host, request, "INVALID_PAYLOAD", "text: is required");
    }
    if (jf_json_type(value) != JF_JSON_STRING) {
      return fail(host, request, "INVALID_PAYLOAD", "text: must be a string");
    }
    result = host->broadcast(host, request->topic, text("said"), request->payload, 0);
    return result < 0 ? result : JF_OK;
  }
  if (is(request->event, "fail")) return fail(host, request, "INTERNAL_ERROR", "boom failed");
  return JF_NO_EVENT;
}

static const jf_channel handlers = {sizeof(jf_channel), NULL, join, event, NULL, NULL};

/* Nothing is kept but the host: its table serves as the instance, and as what the channel is given
 * back. It is never written to. So there is nothing to hand over to a next version either: the
 * marks of the subscriptions stay with the host. A state is another version's, unknown to this. */
static int32_t start(const jf_host* host, const jf_start* args, void** instance) {
  if (args->state_version != 0) {
    host->log(host, JF_LOG_ERROR, text("a state, of which this version knows nothing"), NULL, 0);
    return JF_E_STATE;
  }
  *instance = (void*)host;
  return host->channel(host, text("echo:<name>"), &handlers, (void*)host);
}

static void stop(void* instance) { (void)instance; }

JF_PLUGIN = {sizeof(jf_plugin),
             JF_ABI_MINOR,
             JF_TEXT("echo"),
             JF_TEXT("1.0.0"),
             JF_TEXT("Answers what it is sent; the smallest plugin, in C"),
             JF_TEXT("MIT"),
             start,
             stop,
             NULL,
             NULL,
             NULL};
