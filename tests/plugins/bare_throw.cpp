// Breaks the ABI's rule: exceptions leave its functions. The host must not fall with it.
#include <stdexcept>

#include "jackfield.h"

namespace {

const jf_host* host;

std::int32_t join(void*, const jf_request* request) {
  if (request->params[0].value.size > 0) throw std::runtime_error("join is broken");
  return JF_OK;
}

std::int32_t event(void*, const jf_request*) { throw 42; }

void leave(void*, const jf_request*) { throw std::runtime_error("leave is broken"); }

const jf_channel kChannel = {sizeof(jf_channel), nullptr, join, event, leave, nullptr};

std::int32_t start(const jf_host* given, const jf_start*, void**) {
  host = given;
  return host->channel(host, JF_TEXT("bare_throw:<x>"), &kChannel, nullptr);
}

void stop(void*) { throw std::runtime_error("stop is broken"); }

}  // namespace

JF_PLUGIN = {sizeof(jf_plugin),
             JF_ABI_MINOR,
             JF_TEXT("bare_throw"),
             JF_TEXT("1.2.3"),
             JF_TEXT("throws across the ABI"),
             JF_TEXT("MIT"),
             start,
             stop,
             nullptr,
             nullptr,
             nullptr};
