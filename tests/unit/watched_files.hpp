// A FileWatcher in a test: on the real kernel, the real loop and a temporary folder.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CppUTest/TestHarness.h>

#include "core/base/log.hpp"
#include "core/net/loop_uv.hpp"
#include "core/files/file_watcher.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/temporary_folder.hpp"

namespace jackfield::test {

class WatchedFiles {
 public:
  using Options = files::FileWatcher::Options;

  static constexpr std::chrono::milliseconds kQuiet{20};
  // For what does two things that must be told as one, in another process on a busy machine.
  static constexpr std::chrono::milliseconds kLongQuiet{500};

  // Watches the *.so of top/plugins, which exists.
  WatchedFiles() { std::filesystem::create_directory(folder()); }

  const std::filesystem::path& top() const { return top_.path(); }
  std::filesystem::path folder() const { return top() / "plugins"; }
  net::LoopUv& loop() { return loop_; }
  files::FileWatcher& watcher() { return *watcher_; }
  const std::vector<std::string>& logged() const { return logged_; }

  void watch(std::chrono::milliseconds quiet = kQuiet) { watch({folder(), ".so", quiet}); }
  void watch(Options options) {
    watch(std::move(options), [this](const std::filesystem::path& file) { tell(file); });
  }
  void watch(Options options, files::FileWatcher::Settled settled) {
    make(std::move(options), std::move(settled));
    watcher_->start();
  }
  // The one file, which was `read` before.
  void watch_after(const std::filesystem::path& file, const files::FileStamp& read) {
    make({file, std::nullopt, kQuiet}, [this](const std::filesystem::path& path) { tell(path); });
    watcher_->start_after(read);
  }
  void end() { watcher_.reset(); }

  // Writes a file below `top` and closes it.
  void write(const std::filesystem::path& name, std::string_view text) { top_.write(name, text); }

  // Turns the loop until it is so; `about` is said where it does not become so.
  void wait_until(const std::function<bool()>& is_so, const std::string& about = "") {
    bool is_late = false;
    const auto patience = loop_.start_timer(kPatience, std::chrono::milliseconds(0),
                                            [&is_late] { is_late = true; });
    loop_.run_until([&] { return is_late || is_so(); });
    loop_.cancel_timer(patience);
    CHECK_FALSE_TEXT(is_late, (about + "; told: " + joined(told_)).c_str());
  }

  // Until so many were told; gives and forgets them, as "a.so=its text, b.so gone".
  std::string told(std::size_t count) {
    wait_until([&] { return told_.size() >= count; });
    return joined(std::exchange(told_, {}));
  }

  // All that was told of and all that is about to be: what happens to a last file now is told after
  // anything that happened before. The folder must exist.
  std::string all_told() {
    const std::string last = "zzzz.so=" + std::to_string(++lasts_);
    write("plugins/zzzz.so", std::to_string(lasts_));
    wait_until([&] { return !told_.empty() && told_.back() == last; });
    told_.pop_back();
    return joined(std::exchange(told_, {}));
  }

  // Runs a command of the shell in `top` to its end while the loop turns.
  void run(const std::string& command) {
    std::optional<int> result;
    loop_.run_job([&, line = "cd '" + top().string() + "' && " + command] {
      exit_code_ = std::system(line.c_str());
    }, [&] { result = exit_code_; });
    wait_until([&] { return result.has_value(); });
    CHECK_EQUAL_TEXT(0, *result, command.c_str());
  }

  // Makes the symbolic link, or points it elsewhere at one blow.
  void point(const std::filesystem::path& link, const std::filesystem::path& target) {
    const std::filesystem::path next = top() / "next-link";
    std::filesystem::create_symlink(target, next);
    std::filesystem::rename(next, link);
  }

  // The inotify watches that this process has.
  static std::size_t count_watches() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
      const std::string info = read_file(entry.path());
      for (std::size_t at = 0; (at = info.find("inotify wd:", at)) != std::string::npos; ++at) {
        ++count;
      }
    }
    return count;
  }
  static std::size_t count_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator("/proc/self/fd")) {
      ++count;
    }
    return count;
  }

 private:
  void make(Options options, files::FileWatcher::Settled settled) {
    watcher_ = std::make_unique<files::FileWatcher>(std::move(options), loop_, log_,
                                                     std::move(settled));
  }
  void tell(const std::filesystem::path& file) {
    told_.push_back(file.filename().string() +
                    (std::filesystem::exists(file) ? "=" + read_file(file) : " gone"));
  }
  static std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
  }

  TemporaryFolder top_;
  std::vector<std::string> logged_;
  base::Log log_{base::LogLevel::kInfo,
                 [this](std::string_view line) { logged_.emplace_back(line.substr(25)); }};
  std::vector<std::string> told_;
  int lasts_ = 0;
  int exit_code_ = -1;
  net::LoopUv loop_;
  std::unique_ptr<files::FileWatcher> watcher_;
};

// One who writes a file and takes his time.
class Writer {
 public:
  Writer(const std::filesystem::path& file, int flags)
      : descriptor_(::open(file.c_str(), O_WRONLY | O_CLOEXEC | flags, 0644)) {
    CHECK(descriptor_ >= 0);
  }
  ~Writer() { close(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void write(std::string_view text) const {
    LONGS_EQUAL(text.size(), ::write(descriptor_, text.data(), text.size()));
  }
  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  int descriptor_;
};

}  // namespace jackfield::test
