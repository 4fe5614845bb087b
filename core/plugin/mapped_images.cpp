#include "core/plugin/mapped_images.hpp"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <utility>

namespace jackfield::plugin {
namespace {

constexpr unsigned char kUniqueBinding = 10;  // STB_GNU_UNIQUE, which musl's elf.h lacks

// Reads the dynamic section of an image where it is mapped (elf(5)). The loader has accepted it and
// works by it, so its numbers are trusted as far as they stay inside the image.
class DynamicSection {
 public:
  DynamicSection(const ElfW(Dyn) * entries, std::size_t count, ElfW(Addr) base, AddressRange range)
      : base_(base), range_(range) {
    for (std::size_t i = 0; i < count && entries[i].d_tag != DT_NULL; ++i) {
      const auto value = static_cast<std::uintptr_t>(entries[i].d_un.d_val);
      switch (entries[i].d_tag) {
        case DT_STRTAB: strings_ = address(value); break;
        case DT_STRSZ: strings_size_ = value; break;
        case DT_SYMTAB: symbols_ = address(value); break;
        case DT_HASH: hash_ = address(value); break;
        case DT_GNU_HASH: gnu_hash_ = address(value); break;
        case DT_SONAME: soname_ = value; break;
        case DT_NEEDED: needed_.push_back(value); break;
        case DT_FLAGS_1: flags_ = value; break;
        default: break;
      }
    }
  }

  bool is_nodelete() const { return (flags_ & DF_1_NODELETE) != 0; }
  std::string soname() const { return soname_ == 0 ? std::string() : text(soname_); }

  std::vector<std::string> needed() const {
    std::vector<std::string> names;
    for (const std::uintptr_t offset : needed_) names.push_back(text(offset));
    return names;
  }

  // Its dynamic symbols: what it exports and imports.
  void read_symbols(ImageTraits& traits) const {
    using Symbol = ElfW(Sym);
    const std::size_t count = symbols_ == 0 ? 0 : symbol_count();
    for (std::size_t i = 1; i < count; ++i) {
      const std::uintptr_t at = symbols_ + i * sizeof(Symbol);
      if (!holds(at, sizeof(Symbol))) return;
      const auto& symbol = *reinterpret_cast<const Symbol*>(at);
      const bool is_imported = symbol.st_shndx == SHN_UNDEF;
      if (!is_imported && symbol.st_info >> 4 == kUniqueBinding && traits.unique_symbol.empty()) {
        traits.unique_symbol = text(symbol.st_name);
      }
      if (is_imported && text(symbol.st_name).starts_with("__cxa_thread_atexit")) {
        traits.has_thread_exits = true;
      }
    }
  }

 private:
  bool holds(std::uintptr_t at, std::size_t size) const {
    return range_.contains(at) && size <= range_.end - at;
  }

  std::uint32_t word(std::uintptr_t at) const {
    std::uint32_t value = 0;
    if (holds(at, sizeof value))
      std::memcpy(&value, reinterpret_cast<const void*>(at), sizeof value);
    return value;
  }

  // glibc adds the base to the addresses in most machines' dynamic sections, and others do not.
  std::uintptr_t address(std::uintptr_t value) const {
    if (range_.contains(value)) return value;
    return range_.contains(base_ + value) ? base_ + value : 0;
  }

  std::string text(std::uintptr_t offset) const {
    if (strings_ == 0 || offset >= strings_size_ || !holds(strings_, strings_size_)) return {};
    const char* const begin = reinterpret_cast<const char*>(strings_ + offset);
    return std::string(begin, ::strnlen(begin, strings_size_ - offset));
  }

  // The symbol table does not say its length; the tables to look symbols up do. The older one holds
  // it; in GNU's each chain begins with its bucket's first symbol and ends with an odd hash.
  std::size_t symbol_count() const {
    if (hash_ != 0) return word(hash_ + 4);
    if (gnu_hash_ == 0) return 0;
    const std::size_t buckets = word(gnu_hash_);
    const std::size_t first = word(gnu_hash_ + 4);
    const std::size_t bloom_words = word(gnu_hash_ + 8);
    const std::uintptr_t bucket = gnu_hash_ + 16 + bloom_words * sizeof(ElfW(Addr));
    const std::uintptr_t chain = bucket + buckets * 4;
    if (!holds(bucket, buckets * 4)) return first;
    std::size_t last = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
      last = std::max(last, static_cast<std::size_t>(word(bucket + i * 4)));
    }
    if (last < first) return first;  // it exports nothing; those before `first` are what it imports
    while (holds(chain + (last - first) * 4, 4) && (word(chain + (last - first) * 4) & 1U) == 0) {
      ++last;
    }
    return last + 1;
  }

  ElfW(Addr) base_;
  AddressRange range_;
  std::uintptr_t strings_ = 0;
  std::size_t strings_size_ = 0;
  std::uintptr_t symbols_ = 0;
  std::uintptr_t hash_ = 0;
  std::uintptr_t gnu_hash_ = 0;
  std::uintptr_t soname_ = 0;
  std::uintptr_t flags_ = 0;
  std::vector<std::uintptr_t> needed_;
};

AddressRange range_of(const dl_phdr_info& info) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  AddressRange range{UINTPTR_MAX, 0};
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const auto& segment = info.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    const std::uintptr_t begin = info.dlpi_addr + segment.p_vaddr;
    const std::uintptr_t end = begin + segment.p_memsz;
    range.begin = std::min(range.begin, begin / page * page);
    range.end = std::max(range.end, (end + page - 1) / page * page);
  }
  return range.begin < range.end ? range : AddressRange{};
}

std::string path_of(const dl_phdr_info& info) {
  return info.dlpi_name == nullptr ? std::string() : std::string(info.dlpi_name);
}

std::optional<DynamicSection> dynamic_section(const dl_phdr_info& info, AddressRange range) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const auto& segment = info.dlpi_phdr[i];
    if (segment.p_type != PT_DYNAMIC) continue;
    const std::uintptr_t at = info.dlpi_addr + segment.p_vaddr;
    if (!range.contains(at) || segment.p_memsz > range.end - at) return std::nullopt;
    return DynamicSection(reinterpret_cast<const ElfW(Dyn)*>(at),
                          segment.p_memsz / sizeof(ElfW(Dyn)), info.dlpi_addr, range);
  }
  return std::nullopt;
}

int add_image(dl_phdr_info* info, std::vector<MappedImage>& images) {
  MappedImage image;
  image.path = path_of(*info);
  image.range = range_of(*info);
  if (const auto dynamic = dynamic_section(*info, image.range)) {
    image.soname = dynamic->soname();
    image.needed = dynamic->needed();
  }
  images.push_back(std::move(image));
  return 0;
}

struct TraitsQuestion {
  const std::string& path;
  std::optional<ImageTraits> answer;
};

int answer_traits(dl_phdr_info* info, TraitsQuestion& question) {
  if (path_of(*info) != question.path) return 0;
  ImageTraits traits;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type == PT_TLS && segment.p_memsz > 0) traits.has_thread_locals = true;
  }
  if (const auto dynamic = dynamic_section(*info, range_of(*info))) {
    traits.is_nodelete = dynamic->is_nodelete();
    dynamic->read_symbols(traits);
  }
  question.answer = std::move(traits);
  return 1;
}

// Until `take` gives something else than 0. It is called within the loader's frames and under its
// lock, which nothing may unwind through: what it throws goes around them.
template <class Take>
void for_each_image(Take take) {
  struct Walk {
    Take& take;
    std::exception_ptr thrown;
  } walk{take, nullptr};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t /*size*/, void* given) noexcept {
        auto& under_way = *static_cast<Walk*>(given);
        try {
          return under_way.take(info);
        } catch (...) {
          under_way.thrown = std::current_exception();
          return 1;
        }
      },
      &walk);
  if (walk.thrown) std::rethrow_exception(walk.thrown);
}

bool is_needed_by(const MappedImage& image, const MappedImage& user) {
  const std::string name = image.path.substr(image.path.rfind('/') + 1);
  return std::any_of(user.needed.begin(), user.needed.end(), [&](const std::string& needed) {
    if (needed.empty()) return false;
    return needed == image.soname || needed == image.path || needed == name;
  });
}

std::string readable(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> plain(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), std::free);
  constexpr std::size_t kLongest = 200;
  const std::string text = status == 0 && plain != nullptr ? plain.get() : symbol;
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
}

}  // namespace

std::vector<MappedImage> mapped_images() {
  std::vector<MappedImage> images;
  for_each_image([&images](dl_phdr_info* info) { return add_image(info, images); });
  return images;
}

std::optional<ImageTraits> traits_of(const std::string& path) {
  TraitsQuestion question{path, std::nullopt};
  for_each_image([&question](dl_phdr_info* info) { return answer_traits(info, question); });
  return std::move(question.answer);
}

std::vector<AddressRange> ranges_to_unmap(const std::string& path,
                                          const std::vector<MappedImage>& images) {
  // All that it needs, and what that needs...
  std::vector<const MappedImage*> going;
  for (const MappedImage& candidate : images) {
    if (candidate.path == path) going.push_back(&candidate);
  }
  const auto goes = [&](const MappedImage& candidate) {
    return std::find(going.begin(), going.end(), &candidate) != going.end();
  };
  for (std::size_t i = 0; i < going.size(); ++i) {
    for (const MappedImage& candidate : images) {
      if (!goes(candidate) && is_needed_by(candidate, *going[i])) going.push_back(&candidate);
    }
  }
  // ...less what is needed by one that stays, and so stays itself.
  for (bool is_changed = true; is_changed;) {
    const auto stays = [&](const MappedImage* candidate) {
      return candidate->path != path &&
             std::any_of(images.begin(), images.end(), [&](const MappedImage& user) {
               return !goes(user) && is_needed_by(*candidate, user);
             });
    };
    const auto kept = std::find_if(going.begin(), going.end(), stays);
    is_changed = kept != going.end();
    if (is_changed) going.erase(kept);
  }
  std::vector<AddressRange> ranges;
  for (const MappedImage* gone : going) ranges.push_back(gone->range);
  return ranges;
}

std::string obstacle(const ImageTraits& traits) {
#if !defined(__GLIBC__) && !defined(__UCLIBC__) && !defined(__BIONIC__)
  static_cast<void>(traits);
  return "this C library never unmaps a library";  // musl: "Functional differences from glibc"
#else
  if (traits.is_nodelete) return "it is linked with -z nodelete";
  if (traits.unique_symbol.empty()) return {};
  return "it exports unique symbols (STB_GNU_UNIQUE), such as " + readable(traits.unique_symbol);
#endif
}

std::string why_kept(const MappedImage& image, const ImageTraits& traits,
                     const std::vector<MappedImage>& images) {
  if (std::string sure = obstacle(traits); !sure.empty()) return sure;
  for (const MappedImage& user : images) {
    if (user.path != image.path && is_needed_by(image, user)) return user.path + " depends on it";
  }
  if (traits.has_thread_locals && traits.has_thread_exits) {
    return "perhaps a thread that still runs has thread-local objects of it, whose destructors "
           "wait for that thread's end";
  }
  return "perhaps something opened it once more (dlopen), itself included";
}

}  // namespace jackfield::plugin
