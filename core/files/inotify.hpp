// The kernel's word on what happens in folders, inotify(7), read on the loop. This is the
// descriptor and its events only; what they mean is for the caller. Loop thread. The loop must
// outlive it.
#pragma once

#include <sys/inotify.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/base/descriptor.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"

namespace jackfield::files {

class Inotify {
 public:
  // Names a watched folder. Never used again before all 2^31 are used; kNone names none.
  using Watch = int;
  static constexpr Watch kNone = -1;

  // Lives for one call.
  struct Event {
    Watch watch = kNone;
    std::uint32_t mask = 0;  // IN_CREATE and so on
    std::string_view name;   // of the folder's entry; empty where the folder itself is meant

    bool is(std::uint32_t any_of) const { return (mask & any_of) != 0; }
  };

  // `readable` is called when there is something to read. It may destroy this. Fails where the
  // limits of inotify(7) or of descriptors are reached.
  static base::Result<std::unique_ptr<Inotify>> open(base::Loop& loop, base::Loop::Task readable);
  ~Inotify();
  Inotify(const Inotify&) = delete;
  Inotify& operator=(const Inotify&) = delete;

  // Watches what the path leads to now, wherever it goes afterwards, for the events of `mask`, in
  // addition to those that it is watched for already. Gives kNone and the error where it is no
  // folder, may not be read, or the user has no watch left (ENOSPC).
  Watch add(const std::filesystem::path& folder, std::uint32_t mask, std::error_code& error);
  // What it told before may still be read.
  void remove(Watch watch);

  // Gives each event that is there, in order; does not wait. After a failure there will be none.
  base::Status read(const std::function<void(const Event&)>& take);

 private:
  Inotify(base::Loop& loop, base::Descriptor descriptor)
      : loop_(loop), descriptor_(std::move(descriptor)) {}

  base::Loop& loop_;
  const base::Descriptor descriptor_;
  base::WatchId reading_ = 0;
};

}  // namespace jackfield::files
