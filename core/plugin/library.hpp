// One mapped image of a plugin file: its private copy, opened. The only place that knows Boost.DLL.
// Loop thread.
#pragma once

#include <filesystem>
#include <memory>

#include "core/base/result.hpp"
#include "core/plugin/private_copies.hpp"
#include "jackfield.h"

namespace jackfield::plugin {

class Library {
 public:
  // Copies, checks and maps the file (RTLD_NOW, RTLD_LOCAL: dlopen(3)) and finds its table. Fails
  // with a sentence that does not name the file.
  static base::Result<Library> open(const std::filesystem::path& file, PrivateCopies& copies);

  Library(Library&&) noexcept;
  Library& operator=(Library&&) = delete;
  // Unmaps it, as far as the loader does.
  ~Library();

  // Lives as long as this. Only its size may be trusted: see Manifest.
  const jf_plugin& table() const { return *table_; }

 private:
  struct Image;
  Library(std::unique_ptr<Image> image, const jf_plugin* table);

  std::unique_ptr<Image> image_;
  const jf_plugin* table_;
};

}  // namespace jackfield::plugin
