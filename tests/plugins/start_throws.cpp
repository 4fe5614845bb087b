// Throws in `start`: the plugin is refused with the exception's message in the log.
#include <jackfield.hpp>

#include <stdexcept>

namespace {

class StartThrows : public jf::Plugin {
 public:
  void start(const jf::Start&) override {
    channel("start_throws:<x>");
    throw std::runtime_error("the device is on fire");
  }
};

}  // namespace

JACKFIELD_PLUGIN(StartThrows, "start_throws", "1.2.3", "throws in start", "MIT")
