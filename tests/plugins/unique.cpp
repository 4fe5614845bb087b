// Exports a unique symbol (STB_GNU_UNIQUE), as C++ that is built without jackfield_add_plugin's
// options does: the loader never unmaps it, and a next generation goes on with the same variable.
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "jackfield.h"

#ifdef __clang__
// Clang makes no unique symbols by itself.
extern "C" int unique_count;
asm(".pushsection .data\n"
    ".globl unique_count\n"
    ".type unique_count, %gnu_unique_object\n"
    ".size unique_count, 4\n"
    ".balign 4\n"
    "unique_count: .long 0\n"
    ".popsection");
static int* count() { return &unique_count; }
#else
template <class Type>
struct Counted {
  static inline Type unique_count = 0;
};
static int* count() { return &Counted<int>::unique_count; }
#endif

namespace {

const jf_host* host;

std::int32_t event(void*, const jf_request* request) {
  char json[16];
  std::snprintf(json, sizeof json, "%d", ++*count());
  return host->push(host, request->call, JF_TEXT("counted"), jf_text{json, std::strlen(json)});
}

const jf_channel kChannel = {sizeof(jf_channel), nullptr, nullptr, event, nullptr, nullptr};

std::int32_t start(const jf_host* given, const jf_start*, void**) {
  host = given;
  return host->channel(host, JF_TEXT("unique"), &kChannel, nullptr);
}

}  // namespace

JF_PLUGIN = {sizeof(jf_plugin),
             JF_ABI_MINOR,
             JF_TEXT("unique"),
             JF_TEXT("1.2.3"),
             JF_TEXT("exports a unique symbol"),
             JF_TEXT("MIT"),
             start,
             nullptr,
             nullptr,
             nullptr,
             nullptr};
