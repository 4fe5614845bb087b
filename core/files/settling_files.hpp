// Which changed files have settled: whoever wrote them is done, then nothing happened to them for a
// while, and they are not what they were before. Told of changes by their names, with the times;
// touches neither clock nor kernel, looks at a file through a function. Loop thread.
//
// How a writer is known to be done: by his close. A file that was moved in is complete as well. One
// that appeared in any other way (made, linked in, found) is complete where it has content without
// having been seen modified: who makes a file to write it is seen modifying it with the first
// octet, and closing it then.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/files/file_stamp.hpp"

namespace jackfield::files {

class SettlingFiles {
 public:
  using Time = std::chrono::microseconds;  // as base::Loop::now() tells it

  enum class Change : std::uint8_t {
    kMade,        // the name came to be: a new file, or a link to one
    kModified,    // its content changed, and somebody has it open
    kClosed,      // by one who could write; or it was moved in
    kGone,        // removed or moved away
    kAttributes,  // times, owner, permissions
  };

  // A file as one look at it finds it.
  struct Sight {
    FileStamp stamp;
    bool is_readable = false;

    friend bool operator==(const Sight&, const Sight&) = default;

    // Nothing where the path leads to no regular file.
    static std::optional<Sight> of(const std::filesystem::path& file);
  };
  using Look = std::function<std::optional<Sight>(const std::string& name)>;

  // `quiet`: for how long nothing must have happened.
  SettlingFiles(Look look, std::chrono::milliseconds quiet);

  // For what happens from now on.
  void set_quiet(std::chrono::milliseconds quiet) { quiet_ = quiet; }
  std::chrono::milliseconds quiet() const { return quiet_; }

  // The file is known as it is.
  void know(const std::string& name);
  // The file is known as it was in that sight.
  void know(const std::string& name, const Sight& sight) { known_.insert_or_assign(name, sight); }
  // The names of the files that are known to be there.
  std::vector<std::string> known() const;

  void note(const std::string& name, Change change, Time now);
  // Looks whether the file is what is known of it; where it is not, it counts if it stays the same
  // for `wait`. Leaves alone what is settling already, or being written.
  void check(const std::string& name, Time now, std::chrono::milliseconds wait);
  // Changes may have gone unnoticed, closes among them: a file counts as being written only when it
  // is modified again. A half file may pass that way; its reader refuses it, and its writer's close
  // brings it again, while a whole file that waits for a lost close would never come.
  void lose_track(Time now);

  // When to ask again what has settled; nothing where no time alone will settle anything.
  std::optional<Time> next() const;
  // Those that have settled as something else than what was known, each once: first those that are
  // gone, then those that came or changed, by name.
  std::vector<std::string> take(Time now);

 private:
  enum class State : std::uint8_t {
    kAppeared,  // not closed, and not modified: complete if it has content
    kBeingWritten,
    kComplete,  // or gone
  };
  struct Pending {
    State state = State::kComplete;
    bool is_attributes_only = false;
    std::chrono::milliseconds wait{0};
    std::optional<Time> due;     // nothing: waits for its writer
    std::optional<Sight> sight;  // when the waiting began
  };

  void begin(const std::string& name, Pending& pending, Time now);
  bool is_known(const std::string& name, const Pending& pending) const;

  const Look look_;
  std::chrono::milliseconds quiet_;
  std::map<std::string, Sight> known_;
  std::map<std::string, Pending> pending_;
};

}  // namespace jackfield::files
