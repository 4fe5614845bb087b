#include "core/plugin/retirements.hpp"

#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "core/plugin/lingering_threads.hpp"
#include "core/plugin/plugin_call.hpp"

namespace jackfield::plugin {
namespace {

// For a thread that was told to end by `stop`, but is not joined there.
constexpr int kLooks = 10;
constexpr std::chrono::milliseconds kLookPeriod{50};

std::string to_text(const LingeringThread& thread) {
  const std::string which = std::to_string(thread.id) + " \"" + thread.name + "\"";
  return thread.is_certain ? "thread " + which + " still runs its code"
                           : "thread " + which + " perhaps still runs its code";
}

// Those of the last look, where there are some at each.
std::vector<LingeringThread> look_for_threads(const Generation& generation) {
  std::vector<LingeringThread> lingering = generation.lingering_threads();
  for (int look = 1; look < kLooks && !lingering.empty(); ++look) {
    std::this_thread::sleep_for(kLookPeriod);
    lingering = generation.lingering_threads();
  }
  return lingering;
}

}  // namespace

// One generation on its way out, shared by the loop and the threads that work on it.
struct Retirements::Leaving {
  std::unique_ptr<Generation> generation;
  std::chrono::milliseconds patience{0};
  std::vector<LingeringThread> threads;
  bool is_unknown = false;  // whether there are any
  std::optional<Library> library;
  Library::Unloading outcome;
};

void Retirements::begin(std::unique_ptr<Generation> generation,
                        std::chrono::milliseconds patience) {
  ++under_way_;
  auto leaving = std::make_shared<Leaving>();
  leaving->generation = std::move(generation);
  leaving->patience = patience;
  // What its threads sent to others before this is on its way to the loop; it comes first.
  loop_.post([this, leaving] {
    leaving->generation->end();
    stop(leaving);
  });
}

void Retirements::stop(const std::shared_ptr<Leaving>& leaving) {
  const base::Status status = errands_.run(
      "jf-stop",
      [leaving] {
        if (leaving->generation->is_started()) leaving->generation->stop();
        try {
          leaving->threads = look_for_threads(*leaving->generation);
        } catch (const std::bad_alloc&) {
          leaving->is_unknown = true;
        }
      },
      leaving->patience,
      [this, leaving] {
        say(base::LogLevel::kError, "plugin does not stop", *leaving->generation,
            leaving->generation->has_running_works() ? "a job of it still runs"
                                                     : "its stop has not returned");
      },
      [this, leaving] {
        if (leaving->is_unknown) {
          leave_behind(leaving, "no memory to look for threads that run its code");
        } else if (leaving->threads.empty()) {
          unload(leaving);
        } else {
          leave_behind(leaving, to_text(leaving->threads.front()));
        }
      });
  if (!status.is_ok()) leave_behind(leaving, status.message());
}

// On another thread than its stop ran on: thread-local objects hold an image until their thread has
// ended.
void Retirements::unload(const std::shared_ptr<Leaving>& leaving) {
  leaving->library.emplace(leaving->generation->take_library());
  const base::Status status = errands_.run(
      "jf-unload",
      [leaving] {
        const PluginCall running(leaving->generation->callee(), "unload");
        leaving->outcome = std::move(*leaving->library).close();
      },
      leaving->patience,
      [this, leaving] {
        say(base::LogLevel::kError, "plugin does not unload", *leaving->generation,
            "a destructor of it has not returned");
      },
      [this, leaving] { end(leaving); });
  if (status.is_ok()) return;
  std::move(*leaving->library).abandon();
  leaving->outcome.reason = status.message();
  end(leaving);
}

// Its code may run on: nothing that it may use is freed, the table of the host's functions
// included.
void Retirements::leave_behind(const std::shared_ptr<Leaving>& leaving, const std::string& why) {
  has_left_behind_ = true;
  leaving->generation->abandon_library();
  leaving->outcome.reason = why;
  end(leaving);
  static_cast<void>(leaving->generation.release());
}

void Retirements::end(const std::shared_ptr<Leaving>& leaving) {
  --under_way_;
  const Manifest& manifest = leaving->generation->manifest();
  const std::uint64_t number = leaving->generation->number();
  if (leaving->outcome.is_gone) {
    ++unmapped_;
    log_.debug("plugin unmapped",
               {{"plugin", manifest.name}, {"version", manifest.version}, {"generation", number}});
    return;
  }
  ++stayed_count_;
  stayed_.push_back({manifest.name, manifest.version, number, leaving->outcome.reason});
  if (stayed_.size() > kMaxStayed) stayed_.pop_front();
  say(base::LogLevel::kWarning, "plugin stays mapped", *leaving->generation,
      leaving->outcome.reason);
}

void Retirements::say(base::LogLevel level, std::string_view message, const Generation& generation,
                      std::string_view reason) {
  log_.write_each(level, message,
                  {{"plugin", generation.manifest().name},
                   {"version", generation.manifest().version},
                   {"generation", generation.number()},
                   {"reason", reason}});
}

}  // namespace jackfield::plugin
