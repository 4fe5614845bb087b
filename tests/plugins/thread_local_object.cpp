// Has a thread-local object with a destructor. A thread that has touched it keeps the image mapped
// as long as it runs. It is touched where the configuration is {"touch":true}, and by the event
// "touch"; one that is not touched is in nobody's way.
#include <jackfield.hpp>

#include <string>

namespace {

class Touched {
 public:
  ~Touched() { count_ = 0; }
  int touch() { return ++count_; }

 private:
  // Volatile, or the compiler may see that the destructor does nothing.
  volatile int count_ = 0;
};

thread_local Touched touched;

class ThreadLocalObject : public jf::Plugin {
 public:
  void start(const jf::Start& start) override {
    if (start.config["touch"].boolean().value_or(false)) touched.touch();
    channel("thread_local_object").on("touch", [](jf::Event& event) {
      event.push("touched", std::to_string(touched.touch()));
    });
  }
};

}  // namespace

JACKFIELD_PLUGIN(ThreadLocalObject, "thread_local_object", "1.2.3", "leaves a thread-local object",
                 "MIT")
