// Private copies of plugin files. A dropped file is never mapped itself: writing into a mapped file
// changes or cuts running code. Each copy has a path and inode of its own, as the loader tells
// images apart by both: glibc takes a path for the image that it once opened by it, as long as that
// is mapped, whatever the file is now.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

#include "core/base/result.hpp"
#include "core/files/file_stamp.hpp"
#include "core/plugin/file_trust.hpp"

namespace jackfield::plugin {

// One copy: a file, or memory where no folder will do. Removed with this object. Any thread, one at
// a time.
class PrivateCopy {
 public:
  PrivateCopy(PrivateCopy&& other) noexcept;
  PrivateCopy& operator=(PrivateCopy&&) = delete;
  ~PrivateCopy();

  // What the loader is to open: a path that no other copy of this process had or will have as long
  // as its image can be mapped. A file's number is never given twice; the one of memory is its
  // descriptor's, which is open until this goes, and for good after leave_to_image().
  const std::filesystem::path& path() const { return path_; }

  // What was copied.
  const files::FileStamp& stamp() const { return stamp_; }

  // For an image that stays mapped after this has gone: the name of a file is removed all the same,
  // since the mapping holds what it names, but the descriptor of memory is never closed, since its
  // number is the image's path.
  void leave_to_image() { is_left_ = true; }

 private:
  friend class PrivateCopies;
  PrivateCopy(std::filesystem::path path, int memory) : path_(std::move(path)), memory_(memory) {}

  std::filesystem::path path_;
  int memory_ = -1;  // of memfd_create(2), or -1: a file
  bool is_left_ = false;
  files::FileStamp stamp_;
};

// Where copies are made: a folder of this process, which goes with it, or memory. copy() may be
// called by several threads at once; all else by one.
class PrivateCopies {
 public:
  // Makes `<runtime directory>/jackfield-<pid>`, mode 0700, and removes those of processes that are
  // gone. Where the name is taken, by a server of the same number in another pid namespace, it is
  // `jackfield-<pid>-2` and so on. The folder is locked (flock(2)) as long as this lives, which is
  // how others tell that it is in use, systemd-tmpfiles(8) among them.
  //
  // An empty `runtime_directory` means the first that can be written and executed from of
  // $RUNTIME_DIRECTORY (systemd.exec(5)), /run for root, and the folder for temporary files; where
  // all are mounted noexec or read-only, memory (memfd_create(2), which needs /proc). One in which
  // others could put something else in the place of the copies will not do, where trust is
  // required. Fails where the one that is given will not do.
  static base::Result<PrivateCopies> open(const std::filesystem::path& runtime_directory,
                                          bool is_trust_required = true);
  // Copies to memory.
  static PrivateCopies in_memory() { return PrivateCopies({}, -1); }

  PrivateCopies(PrivateCopies&& other) noexcept;
  PrivateCopies& operator=(PrivateCopies&&) = delete;
  // Removes the folder with all copies that are left in it; their images stay whole.
  ~PrivateCopies();

  // Fails with a sentence that does not name the file; also where the file is changed while it is
  // copied, as far as its stamp shows that, and where others could change it or its way
  // (files/way.hpp) and `trust` requires that they cannot. What is copied is read from the
  // descriptor that was judged, and its octets are never more than the file had at the beginning.
  // `error` says how a call failed, where one did.
  base::Result<PrivateCopy> copy(const std::filesystem::path& file, FileTrust& trust,
                                 std::error_code& error) const;
  // Requires trust.
  base::Result<PrivateCopy> copy(const std::filesystem::path& file) const;

  bool is_in_memory() const { return folder_.empty(); }
  // Empty where copies are made in memory.
  const std::filesystem::path& folder() const { return folder_; }

 private:
  PrivateCopies(std::filesystem::path folder, int lock) : folder_(std::move(folder)), lock_(lock) {}

  std::filesystem::path folder_;  // absolute; empty: memory
  int lock_ = -1;                 // the folder, open and locked
};

}  // namespace jackfield::plugin
