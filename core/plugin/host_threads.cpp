#include "core/plugin/host_threads.hpp"

#include <unistd.h>

namespace jackfield::plugin {

void HostThreads::add() {
  const std::lock_guard lock(mutex_);
  ids_.insert(::gettid());
}

void HostThreads::remove() {
  const std::lock_guard lock(mutex_);
  ids_.erase(::gettid());
}

std::set<pid_t> HostThreads::ids() const {
  const std::lock_guard lock(mutex_);
  return ids_;
}

}  // namespace jackfield::plugin
