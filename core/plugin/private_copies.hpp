// Private copies of plugin files. A dropped file is never mapped itself: writing into a mapped file
// changes or cuts running code. Each copy has a path and inode of its own, as the loader tells
// images apart by both. Loop thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/result.hpp"

namespace jackfield::plugin {

// One copy: a file, or memory where no folder will do. Removed with this object.
class PrivateCopy {
 public:
  explicit PrivateCopy(std::filesystem::path file) : path_(std::move(file)) {}
  explicit PrivateCopy(int memory);  // takes over a descriptor of memfd_create(2)
  PrivateCopy(PrivateCopy&& other) noexcept;
  PrivateCopy& operator=(PrivateCopy&&) = delete;
  ~PrivateCopy();

  // What the loader is to open.
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int memory_ = -1;
};

// Where copies are made: a folder of this process, which goes with it, or memory.
class PrivateCopies {
 public:
  // Makes `<runtime directory>/jackfield-<pid>`, mode 0700, and removes those of processes that are
  // gone. An empty `runtime_directory` means the first that can be written and executed from of
  // $RUNTIME_DIRECTORY (systemd.exec(5)), /run for root, and the folder for temporary files; where
  // all are mounted noexec or read-only, memory (memfd_create(2), which needs /proc). Fails where
  // the one that is given will not do.
  static base::Result<PrivateCopies> open(const std::filesystem::path& runtime_directory);

  PrivateCopies(PrivateCopies&& other) noexcept;
  PrivateCopies& operator=(PrivateCopies&&) = delete;
  ~PrivateCopies();

  // Fails with a sentence that does not name the file.
  base::Result<PrivateCopy> copy(const std::filesystem::path& file);

  bool is_in_memory() const { return folder_.empty(); }

 private:
  explicit PrivateCopies(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;  // empty: memory
  std::uint64_t count_ = 0;
};

}  // namespace jackfield::plugin
