// A channel that a plugin registered: the hub's requests become calls of its handlers, their
// results become answers. Loop thread.
#pragma once

#include <string_view>

#include "core/hub/channel.hpp"
#include "jackfield.h"

namespace jackfield::plugin {

class Generation;

class PluginChannel : public hub::Channel {
 public:
  // `handlers` may be smaller than the host's jf_channel; what it lacks counts as null.
  PluginChannel(Generation& generation, hub::Pattern pattern, const jf_channel& handlers,
                void* channel);

  const hub::Pattern& pattern() const override { return pattern_; }
  bool match(const hub::Request& request) override;
  hub::Answer join(const hub::Request& request) override;
  hub::Answer event(const hub::Request& request) override;
  void leave(const hub::Request& request, hub::LeaveReason reason) override;
  bool adopt(const hub::Request& request) override;
  std::string_view owner() const override;

 private:
  std::int32_t call(const char* function, const hub::Request& request, std::uint32_t reason,
                    std::int32_t (*handler)(void*, const jf_request*));
  hub::Answer to_answer(const char* function, std::int32_t result);

  Generation& generation_;
  const hub::Pattern pattern_;
  jf_channel handlers_;
  void* const channel_;
};

}  // namespace jackfield::plugin
