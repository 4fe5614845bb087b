/* Uses every part of the header as a plugin would, so that each language mode compiles its macros,
 * its tables and the calls through them. Never run. */
#include "jackfield.h"

static const jf_text kEvent = JF_TEXT("used");
static const jf_text kNothing = {0, 0};

static void posted(void *user, jf_text bytes) {
  (void)user;
  (void)bytes;
}

static void fired(void *user, jf_id timer) {
  (void)user;
  (void)timer;
}

static int32_t work(void *user, jf_text bytes, const jf_output *output) {
  (void)user;
  return JF_HAS(output, write) ? output->write(output, bytes) : JF_E_UNSUPPORTED;
}

static void done(void *user, int32_t result, jf_text output) {
  (void)user;
  (void)result;
  (void)output;
}

static const jf_host *host_of(void *channel) { return *(const jf_host *const *)channel; }

static int32_t match(void *channel, const jf_request *request) {
  (void)channel;
  return request->params_count > 0 && request->params[0].value.size > 0;
}

static int32_t join(void *channel, const jf_request *request) {
  const jf_host *host = host_of(channel);
  jf_connection facts;
  jf_text value;
  facts.size = (uint32_t)sizeof facts;
  if (host->connection(host, request->connection, &facts) != JF_OK) return JF_E_GONE;
  if (host->header(host, request->connection, kEvent, &value) != JF_OK) return JF_E_GONE;
  if (host->set(host, request->subscription, value) != JF_OK) return JF_E_LIMIT;
  if (host->get(host, request->subscription, &value) != JF_OK) return JF_E_GONE;
  if (!facts.is_local) return JF_E_FORBIDDEN;
  return host->push(host, request->call, kEvent, value);
}

static int32_t event(void *channel, const jf_request *request) {
  const jf_host *host = host_of(channel);
  jf_id timer = 0;
  int32_t result = host->broadcast(host, request->topic, request->event, request->payload, 0);
  if (result < 0) return result;
  if (host->subscribers(host, request->topic) > host->connections(host)) return JF_E_INTERNAL;
  result = host->timer(host, 1, 0, fired, channel, &timer);
  if (result != JF_OK) return result;
  if (host->cancel(host, timer) != JF_OK) return JF_E_GONE;
  if (host->post(host, request->payload, posted, channel) != JF_OK) return JF_E_LIMIT;
  if (host->job(host, request->payload, work, done, channel) != JF_OK) return JF_E_LIMIT;
  if (host->kick(host, request->subscription, kEvent, kNothing) != JF_OK) return JF_NO_EVENT;
  return host->reply(host, request->call, kNothing, kNothing) == JF_OK ? JF_PENDING : JF_E_GONE;
}

static void leave(void *channel, const jf_request *request) {
  const jf_host *host = host_of(channel);
  jf_field field;
  field.key = kEvent;
  field.value = request->topic;
  if (request->reason != JF_LEAVE_SHUTDOWN) host->log(host, JF_LOG_DEBUG, kEvent, &field, 1);
}

static int32_t adopt(void *channel, const jf_request *request) {
  (void)channel;
  return request->subscription != 0 ? JF_OK : JF_E_STATE;
}

static const jf_channel kChannel = {(uint32_t)sizeof(jf_channel), match, join, event, leave, adopt};
static const jf_host *the_host;

static int32_t start(const jf_host *host, const jf_start *args, void **instance) {
  const jf_text pattern = JF_TEXT("used:<name>");
  if (!JF_HAS(host, extension) || host->extension(host, kEvent)) return JF_E_UNSUPPORTED;
  if (host->now(host) == 0) return JF_E_UNSUPPORTED;
  if (args->state_version != 0 || args->state.size != args->state_from.size) return JF_E_STATE;
  the_host = host;
  *instance = &the_host;
  return host->channel(host, pattern, &kChannel, &the_host);
}

static void stop(void *instance) { (void)instance; }

static int32_t configure(void *instance, jf_text config) {
  (void)instance;
  return config.size > 1 ? JF_OK : JF_E_ARGUMENT;
}

static int32_t save(void *instance, const jf_output *output, uint32_t *state_version) {
  (void)instance;
  *state_version = 1;
  return output->write(output, kNothing);
}

static void resume(void *instance) { (void)instance; }

JF_PLUGIN = {(uint32_t)sizeof(jf_plugin),
             JF_ABI_MINOR,
             JF_TEXT("use"),
             JF_TEXT("1.0.0"),
             JF_TEXT("uses everything"),
             JF_TEXT("MIT"),
             start,
             stop,
             configure,
             save,
             resume};
