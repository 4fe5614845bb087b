#include "core/files/settling_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace jackfield::files {

std::optional<SettlingFiles::Sight> SettlingFiles::Sight::of(const std::filesystem::path& file) {
  const auto stamp = FileStamp::of(file);
  if (!stamp) return std::nullopt;
  return Sight{*stamp, ::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) == 0};
}

SettlingFiles::SettlingFiles(Look look, std::chrono::milliseconds quiet)
    : look_(std::move(look)), quiet_(quiet) {}

void SettlingFiles::know(const std::string& name) {
  if (const auto sight = look_(name)) known_.insert_or_assign(name, *sight);
}

std::vector<std::string> SettlingFiles::known() const {
  std::vector<std::string> names;
  for (const auto& [name, sight] : known_) names.push_back(name);
  return names;
}

void SettlingFiles::note(const std::string& name, Change change, Time now) {
  const auto [found, is_new] = pending_.try_emplace(name);
  Pending& pending = found->second;
  if (change == Change::kAttributes) {
    if (pending.state == State::kBeingWritten) return;
    if (is_new) pending.is_attributes_only = true;
  } else {
    pending.is_attributes_only = false;
    pending.state = State::kComplete;
    if (change == Change::kMade) pending.state = State::kAppeared;
    if (change == Change::kModified) pending.state = State::kBeingWritten;
  }
  pending.wait = quiet_;
  begin(name, pending, now);
}

void SettlingFiles::check(const std::string& name, Time now, std::chrono::milliseconds wait) {
  const auto found = pending_.find(name);
  if (found == pending_.end()) {
    Pending pending{State::kAppeared, false, wait, std::nullopt, std::nullopt};
    begin(name, pending, now);
    if (!is_known(name, pending)) pending_.emplace(name, pending);
  } else if (found->second.state == State::kAppeared && !found->second.due) {
    found->second.wait = wait;
    begin(name, found->second, now);
  }
}

void SettlingFiles::lose_track(Time now) {
  for (auto& [name, pending] : pending_) {
    if (pending.state == State::kBeingWritten) pending.state = State::kAppeared;
    if (!pending.due) begin(name, pending, now);
  }
}

// The waiting begins (again), but not for one who is writing: his close is what counts.
void SettlingFiles::begin(const std::string& name, Pending& pending, Time now) {
  pending.due.reset();
  if (pending.state == State::kBeingWritten) return;
  pending.sight = look_(name);
  pending.due = now + pending.wait;
}

std::optional<SettlingFiles::Time> SettlingFiles::next() const {
  std::optional<Time> earliest;
  for (const auto& [name, pending] : pending_) {
    if (pending.due && (!earliest || *pending.due < *earliest)) earliest = pending.due;
  }
  return earliest;
}

std::vector<std::string> SettlingFiles::take(Time now) {
  std::vector<std::string> gone;
  std::vector<std::string> there;
  for (auto next = pending_.begin(); next != pending_.end();) {
    const auto at = next++;
    const auto& name = at->first;
    Pending& pending = at->second;
    if (!pending.due || *pending.due > now) continue;
    const auto sight = look_(name);
    if (sight != pending.sight) {  // though nothing was told of that
      pending.sight = sight;
      pending.due = now + pending.wait;
      continue;
    }
    const bool is_news = !is_known(name, pending);
    if (is_news && pending.state == State::kAppeared && sight && sight->stamp.size == 0) {
      pending.due.reset();  // somebody has just begun to write it
      continue;
    }
    if (sight) {
      known_.insert_or_assign(name, *sight);
    } else {
      known_.erase(name);
    }
    if (is_news) (sight ? there : gone).push_back(name);
    pending_.erase(at);
  }
  gone.insert(gone.end(), there.begin(), there.end());
  return gone;
}

// Attributes alone (of the stamp, the time of the last change of any) are news only where they open
// or shut the file: a backup that sets times back is none.
bool SettlingFiles::is_known(const std::string& name, const Pending& pending) const {
  const auto found = known_.find(name);
  if (found == known_.end() || !pending.sight) {
    return found == known_.end() && !pending.sight;
  }
  Sight known = found->second;
  if (pending.is_attributes_only) known.stamp.changed_ns = pending.sight->stamp.changed_ns;
  return known == *pending.sight;
}

}  // namespace jackfield::files
