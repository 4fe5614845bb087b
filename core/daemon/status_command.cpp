#include "core/daemon/status_command.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <vector>

#include "core/config/config.hpp"
#include "core/daemon/complaints.hpp"
#include "core/daemon/exit_code.hpp"
#include "core/daemon/status_socket.hpp"
#include "core/plugin/runtime_directory.hpp"

namespace jackfield::daemon {
namespace {

namespace fs = std::filesystem;

// Not what somebody else made in a shared folder, who might answer anything.
bool is_of(uid_t user, const fs::path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && info.st_uid == user;
}

// What a server says is text for a terminal, and root asks those of other users too.
void print(const std::string& said) {
  std::string text = said;
  for (char& c : text) {
    const bool is_layout = c == '\n' || c == '\t';
    if (!is_layout && (static_cast<unsigned char>(c) < ' ' || c == '\x7f')) c = '?';
  }
  std::fputs(text.c_str(), stdout);
}

// The runtime folders of servers: see PrivateCopies. "jackfield-123", or "jackfield-123-2".
std::vector<fs::path> sockets_in(const fs::path& directory, uid_t user, unsigned pid) {
  std::vector<fs::path> sockets;
  const std::string wanted = "jackfield-" + (pid == 0 ? std::string() : std::to_string(pid));
  std::error_code error;
  for (fs::directory_iterator i(directory, error), end; !error && i != end; i.increment(error)) {
    const std::string name = i->path().filename().string();
    const bool is_meant = name.starts_with(wanted) &&
                          (pid == 0 || name.size() == wanted.size() || name[wanted.size()] == '-');
    const fs::path socket = i->path() / kStatusSocketName;
    if (is_meant && is_of(user, i->path()) && is_of(user, socket)) sockets.push_back(socket);
  }
  std::sort(sockets.begin(), sockets.end());
  return sockets;
}

}  // namespace

int show_status(const StatusOptions& options) {
  fs::path configured;
  if (!options.config.empty()) {
    const config::Outcome outcome = config::load(options.config);
    if (!is_well(outcome)) return kExitMistake;
    configured = outcome.config.plugins.runtime_directory;
  }
  std::string places;
  std::vector<fs::path> sockets;
  for (const fs::path& directory : plugin::runtime_directories(configured)) {
    places += (places.empty() ? "" : ", ") + directory.string();
    const std::vector<fs::path> found = sockets_in(directory, ::geteuid(), options.pid);
    sockets.insert(sockets.end(), found.begin(), found.end());
  }
  // Of servers that root has started, and that are other users now.
  if (::geteuid() == 0) {
    for (const plugin::UserDirectory& directory : plugin::user_directories(configured)) {
      const std::vector<fs::path> found = sockets_in(directory.path, directory.user, options.pid);
      sockets.insert(sockets.end(), found.begin(), found.end());
    }
  }
  std::string failure;
  bool has_answer = false;
  for (const fs::path& socket : sockets) {
    const auto status = ask_for_status(socket);
    if (!status.is_ok()) {
      failure = status.message();
      continue;
    }
    if (has_answer && !options.is_json) std::fputs("\n", stdout);
    print(options.is_json ? status.value().json : status.value().text);
    has_answer = true;
  }
  if (has_answer) return kExitOk;
  complain(failure.empty() ? "no server runs; looked in " + places : failure);
  return kExitCannotStart;
}

}  // namespace jackfield::daemon
