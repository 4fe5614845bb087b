// Private copies of plugin files. A dropped file is never mapped itself: writing into a mapped file
// changes or cuts running code. Each copy has a path and inode of its own, as the loader tells
// images apart by both. The folder belongs to this process and goes with it. Loop thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/result.hpp"

namespace jackfield::plugin {

class PrivateCopies {
 public:
  // Makes `<runtime directory>/jackfield-<pid>`, mode 0700, and removes those of processes that
  // are gone. An empty `runtime_directory` means the first that can be written of
  // $RUNTIME_DIRECTORY (systemd.exec(5)), /run and the system's folder for temporary files.
  static base::Result<PrivateCopies> open(const std::filesystem::path& runtime_directory);

  PrivateCopies(PrivateCopies&& other) noexcept;
  PrivateCopies& operator=(PrivateCopies&&) = delete;
  ~PrivateCopies();

  // Copies `file`; the result is the copy's path. The caller removes it.
  base::Result<std::filesystem::path> copy(const std::filesystem::path& file);

 private:
  explicit PrivateCopies(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
  std::uint64_t count_ = 0;
};

}  // namespace jackfield::plugin
