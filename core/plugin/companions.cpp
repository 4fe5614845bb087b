#include "core/plugin/companions.hpp"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/descriptor.hpp"
#include "core/files/way.hpp"

namespace jackfield::plugin {
namespace {

namespace fs = std::filesystem;
using Read = base::Result<Companions>;
using FileHeader = ElfW(Ehdr);
using ProgramHeader = ElfW(Phdr);
using Entry = ElfW(Dyn);

// Bounds of what is read; what linkers make is far below.
constexpr std::size_t kMostEntries = 4096;
constexpr std::size_t kMostOctetsOfText = 4096;
constexpr std::size_t kMostLibraries = 256;

// ---- the file

class Octets {
 public:
  explicit Octets(const fs::path& file)
      : descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
    struct stat info {};
    if (descriptor_.is_open() && ::fstat(descriptor_.number(), &info) == 0 &&
        S_ISREG(info.st_mode) && info.st_size > 0) {
      size_ = static_cast<std::uint64_t>(info.st_size);
    }
  }

  // False where the file does not hold all of it.
  bool read(std::uint64_t offset, void* target, std::uint64_t size) const {
    if (offset > size_ || size > size_ - offset) return false;
    auto* next = static_cast<char*>(target);
    while (size > 0) {
      const ssize_t got = ::pread(descriptor_.number(), next, size, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      next += got;
      offset += static_cast<std::uint64_t>(got);
      size -= static_cast<std::uint64_t>(got);
    }
    return true;
  }
  template <class T>
  bool read(std::uint64_t offset, T& value) const {
    return read(offset, &value, sizeof value);
  }

 private:
  base::Descriptor descriptor_;
  std::uint64_t size_ = 0;
};

// Where an address of the image is in the file, and how many octets of it are there from it on.
struct Place {
  std::uint64_t offset;
  std::uint64_t left;
};

std::optional<Place> find(const std::vector<ProgramHeader>& segments, std::uint64_t address) {
  for (const ProgramHeader& segment : segments) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    const std::uint64_t within = address - segment.p_vaddr;
    if (within >= segment.p_filesz) continue;
    if (within > ~std::uint64_t{0} - segment.p_offset) return std::nullopt;
    return Place{segment.p_offset + within, segment.p_filesz - within};
  }
  return std::nullopt;
}

std::optional<std::string> read_text(const Octets& octets, Place place) {
  std::string text;
  for (char c = 0; text.size() < std::min<std::uint64_t>(place.left, kMostOctetsOfText);) {
    if (!octets.read(place.offset + text.size(), c)) return std::nullopt;
    if (c == '\0') return text;
    text += c;
  }
  return std::nullopt;
}

bool names_library(const Entry& entry) {
  return entry.d_tag == DT_NEEDED || entry.d_tag == DT_AUXILIARY || entry.d_tag == DT_FILTER;
}
bool has_run_path(const Entry& entry) {
  return entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH;
}

// ---- the judgement

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = list.find(':', begin);
    parts.push_back(list.substr(begin, end == std::string::npos ? end : end - begin));
  }
  return parts;
}

// $ORIGIN is the folder of the library that is loaded (ld.so(8)). What $LIB and $PLATFORM are is
// the loader's secret: nothing for those, nor for a path that is relative.
std::optional<fs::path> expand(const std::string& text, const fs::path& origin) {
  std::string path = text;
  for (const std::string_view token : {"$ORIGIN", "${ORIGIN}"}) {
    const bool is_whole =
        path.size() == token.size() || (path.size() > token.size() && path[token.size()] == '/');
    if (path.starts_with(token) && is_whole) {
      path.replace(0, token.size(), origin.string());
      break;
    }
  }
  if (!path.starts_with('/') || path.find('$') != std::string::npos) return std::nullopt;
  return fs::path(path);
}

class Judgement {
 public:
  std::string take_fault() { return std::move(fault_); }

  // `inherited`: folders that who needs it had it looked for in; they count for what it needs too
  // (DT_RPATH).
  void judge(const fs::path& library, std::vector<fs::path> inherited) {
    std::error_code error;
    if (!seen_.insert(fs::weakly_canonical(library, error)).second) return;
    if (seen_.size() > kMostLibraries) return note("it would bring along too many libraries");
    const Read read = read_companions(library);
    // What is no library here the loader will refuse or pass over.
    if (!read.is_ok()) return;
    const fs::path origin = library.parent_path();
    for (const std::string& list : read.value().run_paths) {
      for (const std::string& text : split(list)) {
        if (auto folder = judge_folder(text, origin)) inherited.push_back(std::move(*folder));
      }
    }
    for (const std::string& name : read.value().names) judge_name(name, origin, inherited);
  }

 private:
  void note(const std::string& fault) {
    if (fault_.empty()) fault_ = fault;
  }

  std::optional<fs::path> judge_folder(const std::string& text, const fs::path& origin) {
    auto folder = expand(text, origin);
    if (!folder) {
      note("its run path (DT_RUNPATH) has \"" + text + "\", which is no absolute path");
      return std::nullopt;
    }
    if (const std::string fault = files::fault_of_way(*folder); !fault.empty()) {
      note("its run path (DT_RUNPATH) leads to " + folder->string() + ": " + fault);
    }
    return folder;
  }

  void judge_name(const std::string& name, const fs::path& origin,
                  const std::vector<fs::path>& folders) {
    if (name.find('/') != std::string::npos) {
      const auto file = expand(name, origin);
      if (!file) return note("it needs \"" + name + "\", which is no absolute path");
      return judge_file(*file, folders);
    }
    for (const fs::path& folder : folders) {
      std::error_code error;
      if (fs::exists(folder / name, error)) judge_file(folder / name, folders);
    }
  }

  void judge_file(const fs::path& file, const std::vector<fs::path>& folders) {
    if (const std::string fault = files::fault_of_way(file); !fault.empty()) {
      return note("it needs " + file.string() + ": " + fault);
    }
    judge(file, folders);
  }

  std::set<fs::path> seen_;
  std::string fault_;
};

}  // namespace

Read read_companions(const fs::path& library) {
  const auto malformed = [](const std::string& what) {
    return Read::failure("malformed: " + what);
  };
  const Octets octets(library);
  FileHeader header{};
  if (!octets.read(0, header)) return Read::failure("not an ELF file");
  if (header.e_phentsize != sizeof(ProgramHeader)) return malformed("its headers");
  std::vector<ProgramHeader> segments(header.e_phnum);
  if (!octets.read(header.e_phoff, segments.data(), segments.size() * sizeof(ProgramHeader))) {
    return malformed("its headers");
  }
  const auto dynamic = std::find_if(segments.begin(), segments.end(), [](const ProgramHeader& it) {
    return it.p_type == PT_DYNAMIC;
  });
  if (dynamic == segments.end()) return malformed("no dynamic section");
  // The loader reads it in memory, so by its address.
  const auto place = find(segments, dynamic->p_vaddr);
  if (!place) return malformed("its dynamic section");

  std::vector<Entry> entries;
  std::optional<Place> texts;
  for (std::uint64_t i = 0;; ++i) {
    Entry entry{};
    const bool is_there = i < kMostEntries && place->left / sizeof entry > i &&
                          octets.read(place->offset + i * sizeof entry, entry);
    if (!is_there) return malformed("its dynamic section has no end");
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_STRTAB) texts = find(segments, entry.d_un.d_ptr);
    if (names_library(entry) || has_run_path(entry)) entries.push_back(entry);
  }
  Companions companions;
  for (const Entry& entry : entries) {
    if (!texts || entry.d_un.d_val >= texts->left) return malformed("its names of libraries");
    auto text = read_text(
        octets, {texts->offset + entry.d_un.d_val, texts->left - std::uint64_t{entry.d_un.d_val}});
    if (!text) return malformed("its names of libraries");
    (names_library(entry) ? companions.names : companions.run_paths).push_back(std::move(*text));
  }
  return companions;
}

std::string fault_of_companions(const fs::path& library) {
  Judgement judgement;
  judgement.judge(library, {});
  return judgement.take_fault();
}

}  // namespace jackfield::plugin
