// The crashes that plugins caused, counted across restarts: a file `jackfield-crashes-<uid>` in the
// runtime folder, to which the crash handler appends a line. Servers of one user may share folder
// and file. It is read once, when it is opened; who crashes is gone, and reads it anew at its next
// start. One thread, except what is said otherwise at its place.
//
// A line is `<seconds> <key>`. Seconds are the realtime clock's (CLOCK_REALTIME), for no other goes
// on through a restart of the machine. It may jump: a machine without a battery for its clock
// counts from the same time at each start, so that crashes of several starts seem close together,
// and a plugin is rather set aside too early than too late.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/descriptor.hpp"
#include "core/base/result.hpp"
#include "core/files/file_stamp.hpp"

namespace jackfield::plugin {

class CrashHistory {
 public:
  static constexpr std::size_t kMaxKeyOctets = 14 << 10;  // longer than any key can be
  static constexpr std::size_t kMaxFileOctets = 1 << 20;  // what is read: the last of a longer file
  static constexpr std::size_t kMaxCrashesPerKey = 100;   // the newest; so much `limit` may be
  static constexpr std::size_t kDefaultLimit = 3;
  static constexpr std::chrono::seconds kDefaultWindow{600};

  // Opens or makes the file in `folder` (which is there: a process's runtime folder's parent will
  // do), reads it, and drops what no longer counts: crashes of files that are gone or have another
  // stamp now, those over kMaxCrashesPerKey, and what is no line. Fails with a sentence where the
  // file is not a regular one of this user's alone; the server goes on without counting then.
  static base::Result<CrashHistory> open(const std::filesystem::path& folder);

  // What the crashes of one content of one plugin file are counted under; one word. `file` is where
  // the operator put it (not a private copy), `stamp` its stamp when it was copied. Known before
  // the file is loaded, for loading may crash already.
  static std::string key(const std::filesystem::path& file, const files::FileStamp& stamp);

  // How many crashes of this key were in the file.
  std::size_t count(std::string_view key) const;

  // Whether any `limit` crashes of this very key lie within `window`, both ends included, however
  // long ago: so it stays until the file changes. Never for limit 0.
  bool is_set_aside(std::string_view key, std::size_t limit = kDefaultLimit,
                    std::chrono::seconds window = kDefaultWindow) const;

  // For `append`, as long as this lives.
  int descriptor() const { return file_.number(); }

  // Adds a crash, with one write(2). Any thread; async-signal-safe, with a static buffer: one
  // thread at a time. Nothing where the key is empty or too long.
  static void append(int descriptor, std::string_view key, std::int64_t seconds) noexcept;

 private:
  using Crashes = std::map<std::string, std::vector<std::int64_t>, std::less<>>;  // times ascend

  explicit CrashHistory(base::Descriptor file) : file_(std::move(file)) {}
  base::Status read_and_prune();
  void rewrite(std::string lines, std::size_t size);
  static Crashes parse(std::string_view text);

  base::Descriptor file_;
  Crashes crashes_;
};

}  // namespace jackfield::plugin
