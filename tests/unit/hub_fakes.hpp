// A link and a channel without transport and plugin, for tests of the hub.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/hub/channel.hpp"
#include "core/hub/link.hpp"

#include <CppUTest/TestHarness.h>

namespace jackfield::test {

// A peer that keeps what it is sent.
class FakeLink : public hub::Link {
 public:
  const hub::ConnectionFacts& facts() const override { return facts_; }
  bool is_congested() const override { return is_stuck; }
  bool write(std::string_view frames) override {
    ++writes;
    while (!frames.empty()) frames.remove_prefix(take_frame(frames));
    if (is_stuck_after == writes) is_stuck = true;
    return !is_stuck;
  }
  void pause_reading() override { is_paused = true; }
  void resume_reading() override { is_paused = false; }
  void begin_close() override { is_closing = true; }
  void finish_close(std::string_view frame) override {
    CHECK_TRUE(is_closing);
    close_code = (static_cast<unsigned char>(frame[2]) << 8) | static_cast<unsigned char>(frame[3]);
    close_reason = std::string(frame.substr(4));
  }

  // What was received since the last call, one message each.
  std::vector<std::string> take() { return std::exchange(messages, {}); }

  std::vector<std::string> messages;
  int writes = 0;
  bool is_stuck = false;
  int is_stuck_after = 0;  // so many writes, unless 0
  bool is_paused = false;
  bool is_closing = false;
  int close_code = 0;
  std::string close_reason;

 private:
  std::size_t take_frame(std::string_view frames) {
    const auto first = static_cast<unsigned char>(frames[0]);
    CHECK_EQUAL(fragments_.empty() ? 1 : 0, first & 0x0f);
    std::size_t size = static_cast<unsigned char>(frames[1]);
    std::size_t header = 2;
    CHECK(size < 127);  // what is longer is in fragments
    if (size == 126) {
      header = 4;
      size = static_cast<unsigned char>(frames[2]) * 256U + static_cast<unsigned char>(frames[3]);
    }
    fragments_ += frames.substr(header, size);
    if ((first & 0x80) != 0) messages.push_back(std::exchange(fragments_, {}));
    return header + size;
  }

  std::string fragments_;  // of a message whose last has not come
  hub::ConnectionFacts facts_{{.peer = "192.0.2.1", .identity = {}, .path = "/", .query = {}, .headers = {}}};
};

// Does what the test says, and keeps what it was asked.
class FakeChannel : public hub::Channel {
 public:
  explicit FakeChannel(std::string_view pattern = "t:<id>")
      : pattern_(hub::Pattern::parse(pattern).value()) {}

  const hub::Pattern& pattern() const override { return pattern_; }
  bool match(const hub::Request& request) override { return !on_match || on_match(request); }
  hub::Answer join(const hub::Request& request) override {
    note("join", request);
    return on_join ? on_join(request) : hub::Answer::ok();
  }
  hub::Answer event(const hub::Request& request) override {
    note("event", request);
    return on_event ? on_event(request) : hub::Answer::ok();
  }
  void leave(const hub::Request& request, hub::LeaveReason reason) override {
    calls.push_back("leave " + std::string(request.topic) + " " +
                    std::to_string(static_cast<int>(reason)));
    if (on_leave) on_leave(request, reason);
  }
  bool adopt(const hub::Request& request) override {
    note("adopt", request);
    return !on_adopt || on_adopt(request);
  }
  std::string_view owner() const override { return "fake"; }

  std::vector<std::string> take() { return std::exchange(calls, {}); }

  std::function<bool(const hub::Request&)> on_match;
  std::function<bool(const hub::Request&)> on_adopt;
  std::function<hub::Answer(const hub::Request&)> on_join;
  std::function<hub::Answer(const hub::Request&)> on_event;
  std::function<void(const hub::Request&, hub::LeaveReason)> on_leave;
  std::vector<std::string> calls;
  base::Id call = 0;
  base::Id subscription = 0;
  base::Id connection = 0;
  std::vector<std::string> params;  // of the last call but leaves, "name=value" each

 private:
  const hub::Pattern pattern_;

  void note(const std::string& what, const hub::Request& request) {
    calls.push_back(what + " " + std::string(request.topic) +
                    (request.event.empty() ? "" : " " + std::string(request.event)));
    call = request.call;
    subscription = request.subscription;
    connection = request.connection;
    params.clear();
    for (std::size_t i = 0; i < request.params.count; ++i) {
      const hub::Param& param = request.params.items[i];
      params.push_back(std::string(param.name) + "=" + std::string(param.value));
    }
  }
};

using Lines = std::vector<std::string>;

inline void check_lines(const Lines& expected, const Lines& actual) {
  for (std::size_t i = 0; i < expected.size() && i < actual.size(); ++i) {
    STRCMP_EQUAL(expected[i].c_str(), actual[i].c_str());
  }
  LONGS_EQUAL(expected.size(), actual.size());
}

inline const std::string kSubscribedT = R"(["t:1","subscribed",{}])";

}  // namespace jackfield::test
