#include "core/plugin/inspection.hpp"

#include <memory>
#include <thread>
#include <utility>

#include "core/hub/hub.hpp"
#include "core/plugin/generation.hpp"
#include "core/plugin/private_copies.hpp"

namespace jackfield::plugin {
namespace {

// A loop that never turns: nothing that is put in line is run.
class StillLoop : public base::Loop {
 public:
  void post(Task /*task*/) override {}
  bool is_on_loop() const override { return std::this_thread::get_id() == thread_; }
  base::TimerId start_timer(std::chrono::milliseconds /*delay*/,
                            std::chrono::milliseconds /*interval*/, Task /*fire*/) override {
    return ++last_timer_;
  }
  void cancel_timer(base::TimerId /*timer*/) override {}
  base::WatchId watch(int /*descriptor*/, Task /*readable*/) override { return ++last_watch_; }
  void unwatch(base::WatchId /*watch*/) override {}
  void run_job(Task /*work*/, Task /*done*/) override {}

 private:
  const std::thread::id thread_ = std::this_thread::get_id();
  base::TimerId last_timer_ = 0;
  base::WatchId last_watch_ = 0;
};

}  // namespace

base::Result<Inspection> inspect(const std::filesystem::path& file, const Settings& settings,
                                 base::Log& log) {
  using Outcome = base::Result<Inspection>;
  auto copies = PrivateCopies::open({});
  if (!copies.is_ok()) return Outcome::failure(copies.message());
  FileTrust trust{.is_required = !settings.allow_writable_by_others, .fault = {}};
  std::error_code ignored;
  auto library = Library::open(file, copies.value(), trust, ignored);
  if (!library.is_ok()) return Outcome::failure(library.message());
  warn_of_distrust(file, trust, log);
  auto manifest = Manifest::read(library.value().table());
  if (!manifest.is_ok()) return Outcome::failure(manifest.message());

  Inspection inspection;
  inspection.manifest = manifest.value();
  base::IdSource ids;
  StillLoop loop;
  hub::Hub hub(hub::Limits{}, ids, log);
  HostThreads host_threads;
  host_threads.add();
  const Surroundings surroundings{hub, loop, ids, log, host_threads};
  Generation generation(surroundings, {.library = std::move(library.value()),
                                       .manifest = std::move(manifest.value()),
                                       .crash_key = {},
                                       .earlier_threads = {}});
  const base::Status status =
      generation.start(table_of(settings.tables, inspection.manifest.name), {});
  generation.end();
  if (!status.is_ok()) {
    inspection.start_failure = status.message();
    return inspection;
  }
  inspection.patterns = generation.patterns();
  generation.stop();
  return inspection;
}

}  // namespace jackfield::plugin
