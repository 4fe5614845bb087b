// One mapped image of a plugin file: its private copy, opened. The only place that knows Boost.DLL.
//
// Opening runs the image's static constructors and closing its destructors, so both may take long
// and belong on a thread that may; one Library is used by one thread at a time, and different ones
// by different threads at once, which the loader lets through one by one: a constructor that hangs
// holds up every other open and close, though not abandon(), range() and the like.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/files/file_stamp.hpp"
#include "core/plugin/address_range.hpp"
#include "core/plugin/file_trust.hpp"
#include "core/plugin/mapped_images.hpp"
#include "core/plugin/private_copies.hpp"
#include "jackfield.h"

namespace jackfield::plugin {

class Library {
 public:
  // Copies, checks and maps the file (RTLD_NOW, RTLD_LOCAL: dlopen(3)) and finds its table. Fails
  // with a sentence that does not name the file, and that says so where the image stays mapped for
  // all that, and where others could change what the loader would bring along with it
  // (plugin/companions.hpp) and `trust` requires that they cannot. `copies` may be shared with
  // other threads. For `trust` and `error` see PrivateCopies::copy.
  static base::Result<Library> open(const std::filesystem::path& file, const PrivateCopies& copies,
                                    FileTrust& trust, std::error_code& error);
  // Requires trust.
  static base::Result<Library> open(const std::filesystem::path& file, const PrivateCopies& copies);

  Library(Library&&) noexcept;
  Library& operator=(Library&&) = delete;
  // Closes it, where close() or abandon() did not end it.
  ~Library();

  // Lives as long as the image. Only its size may be trusted: see Manifest.
  const jf_plugin& table() const;
  // Of the file when it was copied.
  const files::FileStamp& stamp() const;
  // Where the image is mapped: all its segments.
  AddressRange range() const;
  // range(), and the libraries that came with the image and would go with it, as things are now: no
  // thread may run code of these when it is closed. (See threads_in.)
  std::vector<AddressRange> ranges_to_unmap() const;
  const ImageTraits& traits() const;

  struct Unloading {
    bool is_gone = false;
    std::string reason;  // where it is not gone: why, as far as can be known
  };
  // Runs the image's destructors and has the loader unmap it; then asks the loader whether it went.
  // The copy goes in either case. REQUIRES: no thread runs code of it, nor will.
  Unloading close() &&;

  // Leaves the image mapped for good, since a thread may run code of it still: no destructor runs,
  // the loader is not asked, only the file's name goes. Never waits.
  void abandon() &&;

 private:
  class Image;
  Library(std::unique_ptr<Image> image, const jf_plugin* table);

  std::unique_ptr<Image> image_;  // null: closed, abandoned or moved from
  const jf_plugin* table_;
};

}  // namespace jackfield::plugin
