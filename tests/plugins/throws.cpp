// Exceptions in every function of a plugin that is built on the C++ wrapper: they end there, and
// the client is told.
#include <jackfield.hpp>

#include <stdexcept>
#include <string>

namespace {

class Throws : public jf::Plugin {
 public:
  void start(const jf::Start&) override {
    jf::Channel& throwing = channel("throws:<where>");
    throwing.on_join([](jf::Join& join) {
      join.push("early", "1");
      if (join.param("where") == "join") throw std::runtime_error("the join is broken");
      if (join.param("where") == "own") throw jf::Error("NOT_TODAY", "come \"back\"\ntomorrow");
    });
    throwing.on("boom", [](jf::Event&) { throw std::runtime_error("the event is broken"); });
    throwing.on("own", [](jf::Event&) { throw jf::Error("OUT_OF_PAPER", "fill the tray"); });
    throwing.on("odd", [](jf::Event&) { throw 42; });
    throwing.on("later", [this](jf::Event& event) {
      later_ = after(1, [] { throw std::runtime_error("the timer is broken"); });
      post([] { throw std::runtime_error("the post is broken"); });
      job([]() -> int { throw std::runtime_error("the work is broken"); },
          [this](jf::Outcome<int> outcome) {
            try {
              outcome.get();
            } catch (const std::exception& exception) {
              broadcast("throws:watch", "caught", jf::quoted(exception.what()));
            }
          });
      event.push("begun", "true");
    });
    throwing.on_leave([](const jf::Leave&) { throw std::runtime_error("the leave is broken"); });
  }

  void stop() override { throw std::runtime_error("the stop is broken"); }

 private:
  jf::Timer later_;
};

}  // namespace

JACKFIELD_PLUGIN(Throws, "throws", "1.2.3", "throws everywhere", "MIT")
