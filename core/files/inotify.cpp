#include "core/files/inotify.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace jackfield::files {
namespace {

// Room for a hundred events with long names; one event takes at most 16 + NAME_MAX + 1 octets.
constexpr std::size_t kBufferOctets = 32 * 1024;
// More than this would be a flood that keeps the loop from its other work: the rest stays readable.
constexpr int kMaxReads = 64;

std::string reason(int error) { return std::error_code(error, std::generic_category()).message(); }

}  // namespace

base::Result<std::unique_ptr<Inotify>> Inotify::open(base::Loop& loop, base::Loop::Task readable) {
  using Outcome = base::Result<std::unique_ptr<Inotify>>;
  base::Descriptor descriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!descriptor.is_open()) {
    const int error = errno;
    std::string sentence = "inotify(7) is not to be had: " + reason(error);
    if (error == EMFILE) sentence += " (or fs.inotify.max_user_instances are reached)";
    return Outcome::failure(std::move(sentence));
  }
  std::unique_ptr<Inotify> inotify(new Inotify(loop, std::move(descriptor)));
  inotify->reading_ = loop.watch(inotify->descriptor_.number(), std::move(readable));
  if (inotify->reading_ == 0) return Outcome::failure("the loop cannot watch inotify's descriptor");
  return inotify;
}

Inotify::~Inotify() { loop_.unwatch(reading_); }

Inotify::Watch Inotify::add(const std::filesystem::path& folder, std::uint32_t mask,
                            std::error_code& error) {
  // A folder has one watch, however often it is added. Its mask only grows: one that is made
  // smaller and larger again would lose what happens in between.
  const Watch watch =
      ::inotify_add_watch(descriptor_.number(), folder.c_str(), mask | IN_ONLYDIR | IN_MASK_ADD);
  error = watch < 0 ? std::error_code(errno, std::generic_category()) : std::error_code();
  return watch < 0 ? kNone : watch;
}

// Fails where the kernel has ended the watch already, with its folder; that is as good.
void Inotify::remove(Watch watch) { ::inotify_rm_watch(descriptor_.number(), watch); }

base::Status Inotify::read(const std::function<void(const Event&)>& take) {
  alignas(inotify_event) std::array<char, kBufferOctets> buffer;
  for (int reads = 0; reads < kMaxReads; ++reads) {
    const ssize_t got = ::read(descriptor_.number(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return base::Status::ok();
    if (got <= 0) return base::Status::failure("inotify(7) ended: " + reason(got < 0 ? errno : 0));
    const std::string_view octets(buffer.data(), static_cast<std::size_t>(got));
    for (std::size_t at = 0; at < octets.size();) {
      inotify_event head{};
      if (octets.size() - at < sizeof head) return base::Status::failure("inotify(7) broke off");
      std::memcpy(&head, octets.data() + at, sizeof head);
      at += sizeof head;
      if (octets.size() - at < head.len) return base::Status::failure("inotify(7) broke off");
      const std::string_view padded = octets.substr(at, head.len);  // with NULs, at least one
      at += head.len;
      take(Event{head.wd, head.mask, padded.substr(0, padded.find('\0'))});
    }
  }
  return base::Status::ok();
}

}  // namespace jackfield::files
