#include "core/plugin/errands.hpp"

#include <pthread.h>
#include <signal.h>

#include <cassert>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "core/plugin/crash_handler.hpp"

namespace jackfield::plugin {
namespace {

// Blocks every signal while a thread is made, which inherits that (pthread_sigmask(3)); CrashStack
// lets those in that come from a crash.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

// What stands around the work on its thread. It is made before the work, so it goes after what a
// plugin made thread-local there, whose destructors may take long too: when it says that the errand
// is at its end, joining the thread takes no time.
class Errands::Guard {
 public:
  Guard(Errands& errands, Place errand) : errands_(errands), errand_(errand) {
    stack_.emplace();
    errands.host_threads_.add();
  }
  ~Guard() {
    stack_.reset();
    errands_.host_threads_.remove();
    errands_.loop_.post([&errands = errands_, errand = errand_] { errands.end(errand); });
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  Errands& errands_;
  const Place errand_;
  std::optional<CrashStack> stack_;
};

Errands::~Errands() { assert(running_.empty() && "an errand is still under way"); }

base::Status Errands::run(const char* name, Task work, std::chrono::milliseconds patience,
                          Task late, Task done) {
  const Place errand = running_.emplace(running_.end());
  errand->done = std::move(done);
  const auto give_up = [&](const std::exception& error) {
    if (errand->timer != 0) loop_.cancel_timer(errand->timer);
    running_.erase(errand);
    return base::Status::failure(std::string("no thread can be made for it: ") + error.what());
  };
  try {
    errand->timer =
        loop_.start_timer(patience, std::chrono::milliseconds(0), [errand, task = std::move(late)] {
          errand->timer = 0;
          task();
        });
    const NoSignals blocked;
    errand->thread = std::thread([this, errand, name, task = std::move(work)] {
      thread_local const Guard guard(*this, errand);
      ::pthread_setname_np(::pthread_self(), name);
      task();
    });
  } catch (const std::system_error& error) {
    return give_up(error);
  } catch (const std::bad_alloc& error) {
    return give_up(error);
  }
  return base::Status::ok();
}

void Errands::end(Place errand) {
  errand->thread.join();
  if (errand->timer != 0) loop_.cancel_timer(errand->timer);
  const Task done = std::move(errand->done);
  running_.erase(errand);
  done();
}

}  // namespace jackfield::plugin
