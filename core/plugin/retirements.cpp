#include "core/plugin/retirements.hpp"

#include <utility>

namespace jackfield::plugin {

// One generation on its way out, shared by the loop and the threads that work on it.
struct Retirements::Leaving {
  std::unique_ptr<Generation> generation;
  std::chrono::milliseconds patience{0};
};

void Retirements::begin(std::unique_ptr<Generation> generation, bool has_started,
                        std::chrono::milliseconds patience) {
  ++under_way_;
  auto leaving = std::make_shared<Leaving>();
  leaving->generation = std::move(generation);
  leaving->patience = patience;
  // What its threads sent to others before this is on its way to the loop; it comes first.
  loop_.post([this, leaving, has_started] {
    leaving->generation->end();
    if (has_started) {
      stop(leaving);
    } else {
      unload(leaving);
    }
  });
}

void Retirements::stop(const std::shared_ptr<Leaving>& leaving) {
  errands_.run(
      "jf-stop", [leaving] { leaving->generation->stop(); }, leaving->patience,
      [this, leaving] {
        log_.error("plugin does not stop",
                   {{"plugin", leaving->generation->manifest().name},
                    {"version", leaving->generation->manifest().version},
                    {"generation", leaving->generation->number()},
                    {"reason", leaving->generation->has_jobs() ? "a job of it still runs"
                                                               : "its stop has not returned"}});
      },
      [this, leaving] { unload(leaving); });
}

// On another thread than its stop ran on: thread-local objects hold an image until their thread has
// ended.
void Retirements::unload(const std::shared_ptr<Leaving>& leaving) {
  errands_.run(
      "jf-unload", [leaving] { Library library = leaving->generation->take_library(); },
      leaving->patience,
      [this, leaving] {
        log_.error("plugin does not unload", {{"plugin", leaving->generation->manifest().name},
                                              {"version", leaving->generation->manifest().version},
                                              {"generation", leaving->generation->number()},
                                              {"reason", "a destructor of it has not returned"}});
      },
      [this, leaving] { end(leaving); });
}

void Retirements::end(const std::shared_ptr<Leaving>& leaving) {
  --under_way_;
  ++unmapped_;
  const Manifest& manifest = leaving->generation->manifest();
  log_.debug("plugin unloaded", {{"plugin", manifest.name},
                                 {"version", manifest.version},
                                 {"generation", leaving->generation->number()}});
}

}  // namespace jackfield::plugin
