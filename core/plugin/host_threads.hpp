// The host's own threads that run plugins: the loop's, those of its pool, those of errands. Their
// stacks may hold addresses of images without their running any code of these (lingering_threads).
// Any thread.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <set>

namespace jackfield::plugin {

class HostThreads {
 public:
  // The calling thread (gettid(2)) is one of them from now on, or no more.
  void add();
  void remove();

  std::set<pid_t> ids() const;

 private:
  mutable std::mutex mutex_;
  std::set<pid_t> ids_;  // guarded by mutex_
};

}  // namespace jackfield::plugin
