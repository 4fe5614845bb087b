// Says which version it is, for tests/bench/reload.sh: versioned.c once more, through the wrapper,
// as channel `versioned_cpp:<name>`.
#include <jackfield.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

class Versioned : public jf::Plugin {
 public:
  void start(const jf::Start& start) override {
    if (start.state_version == 1) {
      asked_ = std::strtoull(std::string(start.state).c_str(), nullptr, 10);
    }
    channel("versioned_cpp:<name>")
        .on("version",
            [this](jf::Event& event) {
              ++asked_;
              event.push("version", std::to_string(BENCH_VERSION));
            })
        .on_adopt([](const jf::Request&) {});
  }

  std::uint32_t save(std::string& state) override {
    state = std::to_string(asked_);
    return 1;
  }

 private:
  std::uint64_t asked_ = 0;
};

}  // namespace

#define TEXT_OF_(NUMBER) #NUMBER
#define TEXT_OF(NUMBER) TEXT_OF_(NUMBER)

JACKFIELD_PLUGIN(Versioned, "versioned_cpp", TEXT_OF(BENCH_VERSION) ".0.0",
                 "Says its version, in C++", "MIT")
