#include "core/access/secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "core/base/descriptor.hpp"
#include "core/base/file_trust.hpp"

namespace jackfield::access {
namespace {

using Text = base::Result<std::string>;

constexpr std::size_t kMaxOctets = 1 << 20;

}  // namespace

Text read_secret_file(const std::filesystem::path& path, Secrecy secrecy, uid_t user) {
  const auto refuse = [&](const std::string& why) {
    return Text::failure(path.string() + ": " + why);
  };
  const auto refuse_by_errno = [&] {
    return refuse("cannot be read: " + std::generic_category().message(errno));
  };
  // A pipe that nobody writes to must not hold up the server.
  const base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.is_open()) return refuse_by_errno();
  struct stat facts {};
  if (::fstat(file.number(), &facts) != 0) return refuse_by_errno();
  if (!S_ISREG(facts.st_mode)) return refuse("is no regular file");
  const base::Status trust = secrecy == Secrecy::kSecret
                                 ? base::check_secret_file(file.number(), path, user)
                                 : base::check_unwritable_by_others(file.number(), path, user);
  if (!trust.is_ok()) return Text::failure(trust.message());
  std::string text;
  std::array<char, 4096> chunk{};
  while (text.size() <= kMaxOctets) {
    const ssize_t size = ::read(file.number(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return refuse_by_errno();
    if (size == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(size));
  }
  return refuse("is larger than " + std::to_string(kMaxOctets) + " octets");
}

}  // namespace jackfield::access
