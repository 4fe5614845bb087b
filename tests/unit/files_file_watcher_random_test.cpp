// Anything at all happens, in any order: in the end what was told is what is there.
#include "core/files/file_watcher.hpp"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "tests/unit/watched_files.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::test::WatchedFiles;
using jackfield::test::Writer;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

// One run. Errors of the file system are part of it: what is to be renamed may not be there.
class Turmoil {
 public:
  explicit Turmoil(unsigned seed) : random_(seed), about_("seed " + std::to_string(seed)) {
    files_.watch({files_.folder(), ".so", 2ms}, [this](const fs::path& file) {
      if (fs::exists(file)) {
        told_[file.filename().string()] = jackfield::test::read_file(file);
      } else {
        told_.erase(file.filename().string());
      }
    });
  }

  void run() {
    for (int i = 0; i < 400; ++i) step();
    writers_.clear();
    fs::create_directory(files_.folder(), error_);
    files_.wait_until([&] { return is_told(); }, about_);
    // And nothing is on its way any more.
    files_.loop().drain(1000);
    files_.wait_until([&] { return !files_.watcher().is_waiting(); }, about_);
    CHECK_TEXT(is_told(), about_.c_str());
  }

 private:
  std::size_t pick(std::size_t count) { return random_() % count; }

  fs::path folder() { return files_.top() / (pick(4) == 0 ? "other" : "plugins"); }
  fs::path file() { return folder() / (std::string(1, "abcd"[pick(4)]) + (pick(4) ? ".so" : "")); }
  std::string text() { return std::to_string(++texts_); }

  void step() {
    switch (pick(12)) {
      case 0: open_writer(file()); break;
      case 1:
        for (const auto& writer : writers_) writer->write(text());
        break;
      case 2:
        if (!writers_.empty()) {
          std::swap(writers_[pick(writers_.size())], writers_.back());
          writers_.pop_back();
        }
        break;
      case 3: fs::remove(file(), error_); break;
      case 4: fs::rename(file(), file(), error_); break;
      case 5:
        if (writers_.empty()) fs::create_hard_link(file(), file(), error_);
        break;
      case 6: copy(file(), file()); break;
      case 7:
        if (pick(4) == 0) move_folder();
        break;
      case 8: fs::create_directory(folder(), error_); break;
      case 9: ::chmod(file().c_str(), static_cast<mode_t>(0600 + pick(64))); break;
      case 10: files_.loop().drain(static_cast<int>(pick(4))); break;
      default: turn_for(std::chrono::milliseconds(pick(6))); break;
    }
  }

  // What is written by another name is not told of this one: no file with two is written.
  bool has_two_names(const fs::path& path) {
    const auto names = fs::hard_link_count(path, error_);
    return !error_ && names > 1;
  }

  void copy(const fs::path& from, const fs::path& to) {
    if (!has_two_names(to)) {
      fs::copy_file(from, to, fs::copy_options::overwrite_existing, error_);
    }
  }

  void open_writer(const fs::path& path) {
    if (!fs::exists(path.parent_path(), error_) || has_two_names(path)) return;
    writers_.push_back(std::make_unique<Writer>(path, O_CREAT | (pick(2) ? O_TRUNC : 0)));
    if (pick(2)) writers_.back()->write(text());
  }

  void move_folder() {
    const fs::path away = files_.top() / ("away" + text());
    switch (pick(3)) {
      case 0: fs::rename(files_.folder(), away, error_); break;
      case 1: fs::rename(files_.top() / "other", files_.folder(), error_); break;
      default:
        fs::rename(files_.folder(), away, error_);
        fs::rename(files_.top() / "other", files_.folder(), error_);
        break;
    }
  }

  void turn_for(std::chrono::milliseconds time) {
    bool is_over = false;
    files_.loop().start_timer(time, 0ms, [&] { is_over = true; });
    files_.loop().run_until([&] { return is_over; });
  }

  // An empty file that nobody was seen closing counts as one that is about to be written.
  bool is_told() {
    for (const auto& [name, content] : told_) {
      if (!fs::exists(files_.folder() / name)) return false;
    }
    for (const auto& entry : fs::directory_iterator(files_.folder())) {
      if (entry.path().extension() != ".so" || entry.file_size() == 0) continue;
      const auto found = told_.find(entry.path().filename().string());
      if (found == told_.end()) return false;
      if (found->second != jackfield::test::read_file(entry.path())) return false;
    }
    return true;
  }

  WatchedFiles files_;
  std::mt19937 random_;
  const std::string about_;
  std::error_code error_;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::map<std::string, std::string> told_;
  int texts_ = 0;
};

}  // namespace

TEST_GROUP(FileTurmoil) {};

TEST(FileTurmoil, in_the_end_what_was_told_is_what_is_there) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    Turmoil(seed).run();
  }
}
