// Which content a file has, as far as stat(2) tells: the same stamp means the same content, for all
// practical purposes. A plain value; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

namespace jackfield::files {

struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;        // octets
  std::int64_t modified_ns = 0;  // st_mtim: when its content was changed
  std::int64_t changed_ns = 0;   // st_ctim: when anything of it was; nobody can set it back

  // The same file with the same content, as after a rename.
  bool is_same_content(const FileStamp& other) const {
    return device == other.device && inode == other.inode && size == other.size &&
           modified_ns == other.modified_ns;
  }

  friend bool operator==(const FileStamp&, const FileStamp&) = default;

  // Of what the path leads to, symbolic links followed; nothing where that is no regular file.
  static std::optional<FileStamp> of(const std::filesystem::path& file);
  // The same, and where it cannot be looked at (stat(2)), why.
  static std::optional<FileStamp> of(const std::filesystem::path& file, std::error_code& error);
  // Of an open file.
  static std::optional<FileStamp> of(int descriptor);

  // One word without spaces, the same for equal stamps only.
  std::string to_text() const;
};

}  // namespace jackfield::files
