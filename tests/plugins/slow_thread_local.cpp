// Has a thread-local object, touched in `start`, whose destructor waits until there is a file of the
// name that the configuration has as `until`, for 20 seconds at most.
#include <jackfield.hpp>

#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

namespace {

class SlowThreadLocal;

class Waits {
 public:
  ~Waits();
  void touch(const SlowThreadLocal& plugin, std::string until) {
    plugin_ = &plugin;
    until_ = std::move(until);
  }

 private:
  const SlowThreadLocal* plugin_ = nullptr;
  std::string until_;
};

thread_local Waits waits;

class SlowThreadLocal : public jf::Plugin {
 public:
  void start(const jf::Start& start) override {
    waits.touch(*this, start.config["until"].string().value_or(""));
    channel("slow_thread_local").on("x", [](jf::Event& event) { event.push("here", "true"); });
  }
  void say_that_it_waits() const { log_info("waits in a destructor"); }
};

Waits::~Waits() {
  if (plugin_ == nullptr || until_.empty()) return;
  plugin_->say_that_it_waits();
  for (int i = 0; i < 4000 && ::access(until_.c_str(), F_OK) != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

JACKFIELD_PLUGIN(SlowThreadLocal, "slow_thread_local", "1.2.3",
                 "has a thread-local object whose destructor waits", "MIT")
