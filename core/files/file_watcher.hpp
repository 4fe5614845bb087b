// Watches files and tells of each that has settled, however it came to be or changed: those of a
// folder whose names have an ending (the plugins), or one file by its path (the configuration).
// Neither needs to exist yet; what the path leads to may be removed, made again, swapped, or be a
// symbolic link pointed elsewhere at any place of the path (the way of Kubernetes).
//
// The kernel tells by inotify(7). Where it cannot, all is looked at every kScanInterval, and that
// is logged once, until the kernel can again. Nothing runs while nothing changes. What goes
// unnoticed: a file system mounted over the folder, what another machine writes on a network file
// system, and a plugin that is written by another name (through a link, symbolic or not).
// `scan_interval` and `rescan` are for those.
//
// Loop thread. The loop and the log must outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/files/inotify.hpp"
#include "core/files/settling_files.hpp"
#include "core/files/trail.hpp"

namespace jackfield::files {

class FileWatcher {
 public:
  static constexpr std::chrono::milliseconds kScanInterval{2000};

  struct Options {
    std::filesystem::path path;  // of the folder where there is an ending, else of the one file
    std::optional<std::string> ending;  // sub-folders, and names with a '.' first, are passed over
    // How long nothing must happen to a file after its writer has closed it.
    std::chrono::milliseconds quiet{100};
    // Looks at all of it so often, besides; a file then counts that is the same twice. 0: never.
    std::chrono::milliseconds scan_interval{0};
    bool has_events = true;  // false: does without inotify(7), for tests of how that is
  };

  // The file came, changed or is gone: look at it to know which. Those that are gone come before
  // the others that settled with them. May call anything of the watcher, but not destroy it.
  using Settled = std::function<void(const std::filesystem::path& file)>;

  FileWatcher(Options options, base::Loop& loop, base::Log& log, Settled settled);
  ~FileWatcher();
  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;

  // Begins to watch. What is there already is not told of: start first, then read it, and nothing
  // goes unnoticed in between. Once.
  void start();
  // The same for the one file where it was read before: what differs from `read` by now is told
  // when it has settled. A writer who had begun already and says nothing more for the quiet time
  // passes for done; his close tells it again.
  void start_after(const FileStamp& read);

  // Looks at all of it; what differs from what was told last is told when it has settled.
  void rescan();

  // For what changes from now on.
  void set_quiet(std::chrono::milliseconds quiet) { files_.set_quiet(quiet); }

  // Whether it waits for a time to pass: for a file to settle, or to look at all of it again.
  bool is_waiting() const { return timer_ != 0; }

 private:
  using Time = SettlingFiles::Time;
  enum class Reason : std::uint8_t { kStart, kChange, kInterval };

  void read_events(Time now);
  void take_event(const Inotify::Event& event, Time now);
  void on_time();
  void arm();

  void look_around(Time now, Reason reason);
  base::Status walk();
  base::Result<std::vector<std::string>> list() const;
  void note_blindness(const base::Status& status);
  std::chrono::milliseconds scan_interval() const;

  bool has_ending(std::string_view name) const;
  std::filesystem::path path_of(const std::string& name) const;

  const Options options_;
  base::Loop& loop_;
  base::Log& log_;
  const Settled settled_;
  SettlingFiles files_;
  std::unique_ptr<Inotify> inotify_;
  std::optional<Trail> trail_;  // on inotify_
  Trail::Goal goal_;            // as of the last walk
  bool is_blind_ = false;       // not all that should be watched is
  std::optional<Time> next_scan_;
  base::TimerId timer_ = 0;  // the one of all, for timer_due_
  Time timer_due_{0};
};

}  // namespace jackfield::files
