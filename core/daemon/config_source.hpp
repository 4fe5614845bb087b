// Where the server's configuration comes from: a file, if one is named, and the command line, which
// wins over it; the same at the start and whenever it is read again. Loop thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/config/config.hpp"
#include "core/files/file_stamp.hpp"

namespace jackfield::daemon {

// What the command line sets in place of the configuration; empty: not set.
struct ServeOptions {
  std::string config;
  std::vector<std::string> listen;  // well-formed endpoints
  std::string plugins;
  std::string log_level;
};

// How others could change the configuration file, or put another in its place, by a folder on the
// way (files/way.hpp): what it says is then theirs to say. Empty: they cannot, or it is no regular
// file that can be read.
std::string fault_of_way_to(const std::filesystem::path& file);

class ConfigSource {
 public:
  explicit ConfigSource(ServeOptions options) : options_(std::move(options)) {}

  bool has_file() const { return !options_.config.empty(); }
  std::filesystem::path file() const { return options_.config; }

  // For the start: whatever kind of file it is.
  config::Outcome read();
  // Later: see config::load_again.
  config::Outcome read_again();

  // The file as it was when it was read last; nothing where it is no regular file, which cannot be
  // read again.
  const std::optional<files::FileStamp>& stamp() const { return stamp_; }

  // How others could change the file when it was read last (fault_of_way_to).
  const std::string& distrust() const { return distrust_; }

 private:
  config::Outcome overridden(config::Outcome outcome);

  const ServeOptions options_;
  std::optional<files::FileStamp> stamp_;
  std::string distrust_;
};

}  // namespace jackfield::daemon
