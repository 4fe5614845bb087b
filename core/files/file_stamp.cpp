#include "core/files/file_stamp.hpp"

#include <sys/stat.h>

#include <cerrno>

namespace jackfield::files {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::optional<FileStamp> read_stamp(const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return std::nullopt;
  FileStamp stamp;
  stamp.device = info.st_dev;
  stamp.inode = info.st_ino;
  stamp.size = static_cast<std::uint64_t>(info.st_size);
  stamp.modified_ns = nanoseconds(info.st_mtim);
  stamp.changed_ns = nanoseconds(info.st_ctim);
  return stamp;
}

}  // namespace

std::optional<FileStamp> FileStamp::of(const std::filesystem::path& file) {
  std::error_code ignored;
  return of(file, ignored);
}

std::optional<FileStamp> FileStamp::of(const std::filesystem::path& file, std::error_code& error) {
  struct stat info {};
  const bool is_seen = ::stat(file.c_str(), &info) == 0;
  error = is_seen ? std::error_code() : std::error_code(errno, std::generic_category());
  return is_seen ? read_stamp(info) : std::nullopt;
}

std::optional<FileStamp> FileStamp::of(int descriptor) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) return std::nullopt;
  return read_stamp(info);
}

std::string FileStamp::to_text() const {
  std::string text;
  for (const std::uint64_t number : {device, inode, size}) text += std::to_string(number) + ":";
  return text + std::to_string(modified_ns) + ":" + std::to_string(changed_ns);
}

}  // namespace jackfield::files
