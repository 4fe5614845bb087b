// Which plugin the code at an address belongs to: a fixed table that a signal handler can read. An
// entry goes in after dlopen(3) and out before dlclose(3). Loop thread, except what is said
// otherwise at its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/plugin/plugin_call.hpp"

namespace jackfield::plugin {

// Where the code of an image is mapped.
struct CodeRange {
  std::uintptr_t base = 0;   // the image's load address: offsets are from here, as addr2line(1) has
  std::uintptr_t begin = 0;  // of its executable part
  std::uintptr_t end = 0;    // one behind

  // Of the image that holds this address, such as a plugin's table (dl_iterate_phdr(3)).
  static std::optional<CodeRange> of(const void* inside);
};

class LoadedImage {
 public:
  // How many there may be. Further ones are not entered: a crash in them is not attributed by its
  // place, which matters for threads that a plugin began by itself.
  static constexpr std::size_t kMaxImages = 256;

  // `callee` outlives this. An empty range is not entered.
  LoadedImage(const CodeRange& range, const Callee& callee);
  // Where another thread reports a crash, waits for the process's end (5 seconds at most): the
  // report may be reading the callee.
  ~LoadedImage();
  LoadedImage(const LoadedImage&) = delete;
  LoadedImage& operator=(const LoadedImage&) = delete;

  struct Place {
    const Callee* callee = nullptr;  // null: in no image of the table
    std::uintptr_t offset = 0;       // from the image's load address
  };
  // Any thread; async-signal-safe.
  static Place at(std::uintptr_t address) noexcept;

  // From now on no entry goes away. For the report of a crash. Any thread; async-signal-safe.
  static void keep_all() noexcept;

 private:
  std::size_t slot_;  // kMaxImages: not entered
};

}  // namespace jackfield::plugin
