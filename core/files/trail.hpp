// The way that the kernel goes for a path: the folders that it looks into, one name in each, those
// behind symbolic links included. Each is watched, so that nothing which makes the path lead
// elsewhere goes unnoticed: a folder made, removed, moved away or swapped for another, a link
// pointed elsewhere, at any place of the path. Loop thread. The Inotify must outlive it.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/files/inotify.hpp"

namespace jackfield::files {

class Trail {
 public:
  enum class End : bool { kFolder, kFile };  // what the path is to lead to

  // Where the events on the files themselves come from: the folder where the path ends, or that
  // holds the file where it ends (or will, once it is made).
  struct Goal {
    Inotify::Watch folder = Inotify::kNone;  // kNone: the path does not lead there
    std::string name;                        // of the file in that folder; empty for a folder

    friend bool operator==(const Goal&, const Goal&) = default;
  };

  Trail(Inotify& inotify, std::filesystem::path path, End end)
      : inotify_(inotify), path_(std::move(path)), end_(end) {}

  // Goes the way anew and watches it as far as it leads; that it ends early is no failure. Fails
  // where something on it can be neither watched nor looked at: that may change unnoticed.
  base::Status walk();

  // Whether the path may lead elsewhere after this event, so that it is to be walked again.
  bool is_crossed_by(const Inotify::Event& event) const;

  const Goal& goal() const { return goal_; }

 private:
  // The kernel looked into this folder for this name.
  struct Step {
    Inotify::Watch folder;
    std::string name;
  };

  base::Status follow();
  base::Status end_at(const std::filesystem::path& folder);
  Inotify::Watch watch(const std::filesystem::path& folder, bool is_goal, std::error_code& error);

  Inotify& inotify_;
  const std::filesystem::path path_;
  const End end_;
  std::vector<Step> steps_;
  std::vector<Inotify::Watch> watches_;
  Goal goal_;
};

}  // namespace jackfield::files
