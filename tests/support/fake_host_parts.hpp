// What the files of the fake host share.
#pragma once

#include <jackfield_json.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/fake_host.hpp"

namespace jackfield::test {

inline std::string str(jf_text text) { return std::string(jf::view(text)); }
inline jf_text text(const std::string& string) { return jf_text{string.data(), string.size()}; }

inline std::vector<std::string> split(std::string_view topic) {
  std::vector<std::string> parts(1);
  for (const char c : topic) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// A request with the texts that it points to.
struct Made {
  std::string topic;
  std::string event;
  std::string payload;
  std::vector<std::pair<std::string, std::string>> params;
  std::vector<jf_param> raw{};
  jf_request request{};

  const jf_request* fill() {
    for (const auto& [name, value] : params) raw.push_back({text(name), text(value)});
    request.size = sizeof request;
    request.topic = text(topic);
    request.event = text(event);
    request.payload = text(payload);
    request.params = raw.data();
    request.params_count = raw.size();
    return &request;
  }
};

struct FakeHost::Generation {
  Generation(FakeHost& host, const jf_plugin& made_of);
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  // Runs `call` on a thread of its own, which counts as the loop's for this instance.
  template <class Function>
  void on_own_thread(Function call) {
    std::thread([&] {
      own_thread = std::this_thread::get_id();
      call();
      own_thread = std::thread::id();
    }).join();
  }

  FakeHost& owner;
  const jf_plugin& plugin;
  jf_host table{};
  void* instance = nullptr;
  bool is_starting = false;
  bool is_started = false;
  bool is_held = false;  // saved: posts, timers and `done` wait
  int inside = 0;
  std::atomic<std::thread::id> own_thread{};
  std::deque<Channel> channels{};
  std::vector<std::string> patterns{};
  std::map<jf_id, Timer> timers{};
  std::deque<Post> posts{};
  std::deque<Job> jobs{};
  std::vector<std::function<void()>> effects{};  // what its start did to others
};

// Within the plugin, [loop] functions may be called.
class FakeHost::Inside {
 public:
  explicit Inside(Generation& generation) : generation_(generation) { ++generation_.inside; }
  ~Inside() { --generation_.inside; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  Generation& generation_;
};

}  // namespace jackfield::test
