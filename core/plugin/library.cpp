#include "core/plugin/library.hpp"

#include <boost/dll/shared_library.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/plugin/elf_check.hpp"

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

}  // namespace

struct Library::Image {
  explicit Image(PrivateCopy its_copy) : copy(std::move(its_copy)) {}

  PrivateCopy copy;  // outlives the mapping
  boost::dll::shared_library library;
};

Library::Library(std::unique_ptr<Image> image, const jf_plugin* table)
    : image_(std::move(image)), table_(table) {}
Library::Library(Library&&) noexcept = default;
Library::~Library() = default;

Result<Library> Library::open(const fs::path& file, PrivateCopies& copies) {
  std::error_code ignored;
  const fs::file_status info = fs::status(file, ignored);
  if (!fs::exists(info)) return Result<Library>::failure("no such file");
  if (!fs::is_regular_file(info)) return Result<Library>::failure("not a file");
  auto copy = copies.copy(file);
  if (!copy.is_ok()) return Result<Library>::failure(copy.message());
  auto image = std::make_unique<Image>(std::move(copy.value()));
  if (auto status = check_elf(image->copy.path()); !status.is_ok()) {
    return Result<Library>::failure(status.message());
  }
  try {
    image->library.load(image->copy.path().string(),
                        boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    if (!image->library.has(JF_SYMBOL_NAME)) {
      return Result<Library>::failure(missing_symbol(image->library));
    }
    const jf_plugin* table = &image->library.get<const jf_plugin>(JF_SYMBOL_NAME);
    return Library(std::move(image), table);
  } catch (const std::system_error& error) {
    return Result<Library>::failure("cannot be loaded: " + loader_sentence(error));
  } catch (const std::exception& error) {
    return Result<Library>::failure(std::string("cannot be loaded: ") + error.what());
  }
}

}  // namespace jackfield::plugin
