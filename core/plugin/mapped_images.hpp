// What the loader has mapped into this process, as it tells by dl_iterate_phdr(3): copies of its
// answers, true when they are given. Any thread; nobody waits here for a `dlopen` or `dlclose` that
// runs, however long its constructors or destructors take (glibc; it holds another lock for them).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/plugin/address_range.hpp"

namespace jackfield::plugin {

struct MappedImage {
  std::string path;                 // as it was opened; empty for the program itself
  AddressRange range;               // all its PT_LOAD segments, in whole pages
  std::string soname;               // DT_SONAME, or empty
  std::vector<std::string> needed;  // DT_NEEDED: the libraries that it was linked with
};

// How an image was built, as far as it decides whether the loader can unmap it.
struct ImageTraits {
  bool is_nodelete = false;        // DF_1_NODELETE: linked with `-z nodelete`
  bool has_thread_locals = false;  // PT_TLS: thread-local storage
  bool has_thread_exits = false;   // thread-local objects with destructors: __cxa_thread_atexit
  std::string unique_symbol;       // one that it exports as unique (STB_GNU_UNIQUE), or empty
};

std::vector<MappedImage> mapped_images();

// Nothing where no image of this path is mapped.
std::optional<ImageTraits> traits_of(const std::string& path);

// Where the image of this path is mapped, and the libraries that only it needs, directly or not:
// what goes with it when the loader unmaps it. `images` is what mapped_images() gave; empty where
// it has no such path.
std::vector<AddressRange> ranges_to_unmap(const std::string& path,
                                          const std::vector<MappedImage>& images);

// What stands against unmapping an image of these traits, in words; empty where nothing does.
// Unique symbols keep the first image that has them: later ones use its variables, and may go.
std::string obstacle(const ImageTraits& traits);

// Why the loader kept `image`, in words: what stands against it, or else what may have.
std::string why_kept(const MappedImage& image, const ImageTraits& traits,
                     const std::vector<MappedImage>& images);

}  // namespace jackfield::plugin
