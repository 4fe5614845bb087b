#include "core/plugin/elf_check.hpp"

#include <elf.h>
#include <link.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>

namespace jackfield::plugin {
namespace {

using FileHeader = ElfW(Ehdr);
using ProgramHeader = ElfW(Phdr);
using SectionHeader = ElfW(Shdr);

constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char kOrder =
    std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

// What e_machine must be: what this program itself was built for.
constexpr std::uint16_t kMachine =
#if defined(__x86_64__)
    EM_X86_64;
#elif defined(__i386__)
    EM_386;
#elif defined(__aarch64__)
    EM_AARCH64;
#elif defined(__arm__)
    EM_ARM;
#elif defined(__riscv)
    EM_RISCV;
#elif defined(__mips__)
    EM_MIPS;
#elif defined(__powerpc64__)
    EM_PPC64;
#else
    EM_NONE;  // not known here: left to the loader
#endif

base::Status refuse(const std::string& why) { return base::Status::failure(why); }

base::Status check_header(const FileHeader& header) {
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return refuse("not an ELF file");
  if (header.e_ident[EI_CLASS] != kClass) {
    return refuse(std::string("built for another word size: ELF class ") +
                  std::to_string(header.e_ident[EI_CLASS]) + ", this server is " +
                  std::to_string(kClass));
  }
  if (header.e_ident[EI_DATA] != kOrder) return refuse("built for another byte order");
  if (kMachine != EM_NONE && header.e_machine != kMachine) {
    return refuse("built for another machine: ELF machine " + std::to_string(header.e_machine) +
                  ", this server is " + std::to_string(kMachine));
  }
  if (header.e_type != ET_DYN) return refuse("not a shared object");
  if (header.e_phentsize != sizeof(ProgramHeader)) return refuse("malformed ELF file header");
  return base::Status::ok();
}

// A file and its size, of which pieces are read.
class Octets {
 public:
  explicit Octets(const std::filesystem::path& file) : in_(file, std::ios::binary) {
    std::error_code error;
    size_ = std::filesystem::file_size(file, error);
    if (error) in_.setstate(std::ios::failbit);
  }

  bool is_readable() const { return in_.good(); }
  bool holds(std::uintmax_t offset, std::uintmax_t size) const {
    return offset <= size_ && size <= size_ - offset;
  }

  // REQUIRES: it holds them. False where they cannot be read for all that.
  template <class Header>
  bool read(std::uintmax_t offset, Header& header) {
    in_.seekg(static_cast<std::streamoff>(offset));
    in_.read(reinterpret_cast<char*>(&header), sizeof header);
    return in_.good();
  }

  base::Status cut_short(const char* what) const {
    return refuse("cut short: " + std::to_string(size_) + " octets do not hold its " + what);
  }

 private:
  std::ifstream in_;
  std::uintmax_t size_ = 0;
};

base::Status check_segments(Octets& octets, const FileHeader& file) {
  const std::uintmax_t table_size = std::uintmax_t{file.e_phnum} * sizeof(ProgramHeader);
  if (!octets.holds(file.e_phoff, table_size)) return octets.cut_short("headers");
  bool has_dynamic = false;
  for (std::uintmax_t i = 0; i < file.e_phnum; ++i) {
    ProgramHeader segment{};
    if (!octets.read(file.e_phoff + i * sizeof segment, segment)) return refuse("cannot be read");
    if (segment.p_type == PT_NULL) continue;
    if (segment.p_type == PT_DYNAMIC) has_dynamic = true;
    if (segment.p_filesz > 0 && !octets.holds(segment.p_offset, segment.p_filesz)) {
      return octets.cut_short("segments");
    }
  }
  return has_dynamic ? base::Status::ok() : refuse("not a shared object: no dynamic section");
}

base::Status check_sections(Octets& octets, const FileHeader& file) {
  if (file.e_shoff == 0) return base::Status::ok();  // it has none
  if (file.e_shentsize != sizeof(SectionHeader)) return refuse("malformed ELF file header");
  SectionHeader first{};
  if (!octets.holds(file.e_shoff, sizeof first)) return octets.cut_short("section headers");
  if (!octets.read(file.e_shoff, first)) return refuse("cannot be read");
  // From 65280 sections on their number is there.
  const std::uintmax_t count = file.e_shnum != 0 ? file.e_shnum : first.sh_size;
  const std::uintmax_t most = std::numeric_limits<std::uintmax_t>::max() / sizeof first;
  if (count > most || !octets.holds(file.e_shoff, count * sizeof first)) {
    return octets.cut_short("section headers");
  }
  // Of a file that has its size already, what is not written yet is zero: the header of the section
  // names, one of the last, has no type then.
  const std::uintmax_t names = file.e_shstrndx != SHN_XINDEX ? file.e_shstrndx : first.sh_link;
  for (std::uintmax_t i = 1; i < count; ++i) {
    SectionHeader section{};
    if (!octets.read(file.e_shoff + i * sizeof section, section)) return refuse("cannot be read");
    if (i == names && section.sh_type == SHT_NULL) {
      return refuse("half written: its section headers are missing");
    }
    const bool is_in_file = section.sh_type != SHT_NULL && section.sh_type != SHT_NOBITS;
    if (is_in_file && !octets.holds(section.sh_offset, section.sh_size)) {
      return octets.cut_short("sections");
    }
  }
  return base::Status::ok();
}

}  // namespace

base::Status check_elf(const std::filesystem::path& file) {
  Octets octets(file);
  if (!octets.is_readable()) return refuse("cannot be read");
  FileHeader header{};
  if (!octets.holds(0, sizeof header)) return refuse("not an ELF file");
  if (!octets.read(0, header)) return refuse("cannot be read");
  if (auto status = check_header(header); !status.is_ok()) return status;
  if (auto status = check_segments(octets, header); !status.is_ok()) return status;
  return check_sections(octets, header);
}

}  // namespace jackfield::plugin
