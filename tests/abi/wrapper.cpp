// Uses what of the C++ wrapper is a template, so that each language mode compiles it. Never run.
#include <jackfield.hpp>

namespace {

class Whole : public jf::Plugin {
 public:
  void start(const jf::Start& start) override {
    const jf::Want want = jf::want::object({{"sum", jf::want::integer()}}).closed();
    sum_ = start.json_state_of(1, want)["sum"].integer().value_or(0);
    channel("whole:<name>")
        .on_match([](const jf::Request& request) { return !request.param("name").empty(); })
        .on_join([](jf::Join& join) { return join.push("snapshot", join.payload()); })
        .on("add", want,
            [this](jf::Event& event) {
              job([value = event.payload()["sum"].integer().value_or(0)] { return value; },
                  [this, reply = event.defer()](jf::Outcome<std::int64_t> outcome) mutable {
                    sum_ += outcome.get();
                    reply.ok();
                  });
            })
        .on_leave([this](const jf::Leave&) { timer_.cancel(); })
        .on_adopt([this](jf::Adopt& adopt) {
          if (adopt.get().empty()) throw jf::Error("NOT_FOUND", "Nothing is known of it");
          adopt.push("snapshot", std::to_string(sum_));
        });
    timer_ = every(1000, [this] { post([this] { broadcast("whole:a", "sum", "1"); }); });
  }
  void configure(const jf::Json& config) override { require(config, jf::want::object()); }
  std::uint32_t save(std::string& state) override {
    state = jf::JsonWriter().object().field("sum", sum_).end().take();
    return 1;
  }
  void resume() override { log_info("goes on", {{"sum", sum_}}); }

 private:
  std::int64_t sum_ = 0;
  jf::Timer timer_;
};

}  // namespace

JACKFIELD_PLUGIN(Whole, "whole", "1.0.0", "Uses everything", "MIT")
