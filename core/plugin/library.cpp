#include "core/plugin/library.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cassert>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/plugin/companions.hpp"
#include "core/plugin/elf_check.hpp"
#include "core/plugin/lingering_threads.hpp"

namespace jackfield::plugin {
namespace {

namespace fs = std::filesystem;
using base::Result;

// What Boost.DLL says holds the loader's own sentence, in parentheses; what follows is an errno
// that means nothing.
std::string loader_sentence(const std::system_error& error) {
  std::string what = error.what();
  constexpr std::string_view kBefore = "(dlerror system message: ";
  const std::size_t begin = what.find(kBefore);
  const std::size_t end = what.rfind(')');
  if (begin == std::string::npos || end == std::string::npos) return what;
  return what.substr(begin + kBefore.size(), end - begin - kBefore.size());
}

// "exports jackfield_plugin_v2; this server speaks version 1", or that there is none.
std::string missing_symbol(const boost::dll::shared_library& library) {
  for (int major = 0; major < 100; ++major) {
    const std::string symbol = "jackfield_plugin_v" + std::to_string(major);
    if (!library.has(symbol)) continue;
    return "built for ABI version " + std::to_string(major) + ", this server has version " +
           std::to_string(JF_ABI_MAJOR) + "." + std::to_string(JF_ABI_MINOR);
  }
  return "exports no " JF_SYMBOL_NAME ": not a Jackfield plugin";
}

const MappedImage* find_image(const std::vector<MappedImage>& images, const std::string& path) {
  const auto found = std::find_if(images.begin(), images.end(),
                                  [&](const MappedImage& image) { return image.path == path; });
  return found == images.end() ? nullptr : &*found;
}

}  // namespace

// The image and its copy. Boost.DLL ignores what dlclose(3) says and cannot let go of its handle
// without it, so it only opens and finds symbols, and a handle of our own stays.
class Library::Image {
 public:
  explicit Image(PrivateCopy copy) : copy_(std::move(copy)) {}
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  ~Image() {
    if (!is_over_) static_cast<void>(close());
  }

  // The table, or why there is none. Throws what Boost.DLL throws.
  Result<const jf_plugin*> load() {
    boost::dll::shared_library library;
    library.load(copy_.path().string(),
                 boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    handle_ = ::dlopen(copy_.path().c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    const auto images = mapped_images();
    const MappedImage* mapped = find_image(images, path());
    auto traits = traits_of(path());
    if (handle_ == nullptr || mapped == nullptr || !traits) {
      return Result<const jf_plugin*>::failure(
          "cannot be loaded: the loader took it for a library that it has already");
    }
    mapped_ = *mapped;
    traits_ = std::move(*traits);
    if (!library.has(JF_SYMBOL_NAME)) {
      return Result<const jf_plugin*>::failure(missing_symbol(library));
    }
    return &library.get<const jf_plugin>(JF_SYMBOL_NAME);
  }

  // REQUIRES: neither this nor abandon() was called.
  Unloading close() {
    is_over_ = true;
    std::string refusal;
    if (handle_ != nullptr && ::dlclose(handle_) != 0) {
      const char* const sentence = ::dlerror();
      refusal = std::string("the loader refused: ") + (sentence == nullptr ? "?" : sentence);
    }
    // Asked by its path in any case: it may be mapped though dlopen(3) said that it had failed.
    try {
      const auto images = mapped_images();
      if (find_image(images, path()) == nullptr) return {true, {}};
      copy_.leave_to_image();
      return {false, refusal.empty() ? why_kept(mapped_, traits_, images) : refusal};
    } catch (const std::bad_alloc&) {
      copy_.leave_to_image();
      return {false, "out of memory"};
    }
  }

  void abandon() {
    is_over_ = true;
    copy_.leave_to_image();
  }

  std::string path() const { return copy_.path().string(); }
  const PrivateCopy& copy() const { return copy_; }
  const MappedImage& mapped() const { return mapped_; }
  const ImageTraits& traits() const { return traits_; }

 private:
  PrivateCopy copy_;  // outlives the mapping
  void* handle_ = nullptr;
  bool is_over_ = false;
  MappedImage mapped_;
  ImageTraits traits_;
};

Library::Library(std::unique_ptr<Image> image, const jf_plugin* table)
    : image_(std::move(image)), table_(table) {}
Library::Library(Library&&) noexcept = default;
Library::~Library() = default;

Result<Library> Library::open(const fs::path& file, const PrivateCopies& copies) {
  FileTrust trust;
  std::error_code error;
  return open(file, copies, trust, error);
}

Result<Library> Library::open(const fs::path& file, const PrivateCopies& copies, FileTrust& trust,
                              std::error_code& error) {
  auto copy = copies.copy(file, trust, error);
  if (!copy.is_ok()) return Result<Library>::failure(copy.message());
  if (auto status = check_elf(copy.value().path()); !status.is_ok()) {
    return Result<Library>::failure(status.message());
  }
  if (const auto read = read_companions(copy.value().path()); !read.is_ok()) {
    return Result<Library>::failure(read.message());
  }
  if (std::string fault = fault_of_companions(copy.value().path()); !fault.empty()) {
    if (trust.is_required) {
      return Result<Library>::failure("others can change what it loads: " + fault);
    }
    if (trust.fault.empty()) trust.fault = std::move(fault);
  }
  const std::set<pid_t> earlier_threads = thread_ids();
  auto image = std::make_unique<Image>(std::move(copy.value()));
  std::string failure;
  try {
    auto table = image->load();
    if (table.is_ok()) return Library(std::move(image), table.value());
    failure = table.message();
  } catch (const std::system_error& thrown) {
    failure = "cannot be loaded: " + loader_sentence(thrown);
  } catch (const std::bad_alloc&) {
    failure = "out of memory";
    error = std::make_error_code(std::errc::not_enough_memory);
  } catch (const std::exception& thrown) {
    failure = std::string("cannot be loaded: ") + thrown.what();
  }
  // A constructor of it may have begun a thread.
  const auto ranges = plugin::ranges_to_unmap(image->path(), mapped_images());
  if (!ranges.empty() && !threads_in(ranges, {}, earlier_threads).empty()) {
    image->abandon();
    return Result<Library>::failure(failure + "; its image stays mapped: a thread runs its code");
  }
  const Unloading unloading = image->close();
  if (!unloading.is_gone) failure += "; its image stays mapped: " + unloading.reason;
  return Result<Library>::failure(failure);
}

const jf_plugin& Library::table() const { return *table_; }

const files::FileStamp& Library::stamp() const {
  assert(image_ != nullptr && "a library that was closed");
  return image_->copy().stamp();
}

AddressRange Library::range() const {
  assert(image_ != nullptr && "a library that was closed");
  return image_->mapped().range;
}

std::vector<AddressRange> Library::ranges_to_unmap() const {
  assert(image_ != nullptr && "a library that was closed");
  return plugin::ranges_to_unmap(image_->path(), mapped_images());
}

const ImageTraits& Library::traits() const {
  assert(image_ != nullptr && "a library that was closed");
  return image_->traits();
}

Library::Unloading Library::close() && {
  assert(image_ != nullptr && "a library that was closed");
  const Unloading unloading = image_->close();
  image_.reset();
  return unloading;
}

void Library::abandon() && {
  assert(image_ != nullptr && "a library that was closed");
  image_->abandon();
  image_.reset();
}

}  // namespace jackfield::plugin
