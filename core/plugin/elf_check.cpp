#include "core/plugin/elf_check.hpp"

#include <elf.h>
#include <link.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

namespace jackfield::plugin {
namespace {

using FileHeader = ElfW(Ehdr);
using ProgramHeader = ElfW(Phdr);

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

}  // namespace

base::Status check_elf(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (!in || error) return refuse("cannot be read");
  FileHeader header{};
  if (size < sizeof header) return refuse("not an ELF file");
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!in) return refuse("cannot be read");
  if (auto status = check_header(header); !status.is_ok()) return status;

  const std::uintmax_t table_size = std::uintmax_t{header.e_phnum} * sizeof(ProgramHeader);
  if (header.e_phoff > size || table_size > size - header.e_phoff) {
    return refuse("cut short: " + std::to_string(size) + " octets do not hold its headers");
  }
  in.seekg(static_cast<std::streamoff>(header.e_phoff));
  bool has_dynamic = false;
  for (int i = 0; i < header.e_phnum; ++i) {
    ProgramHeader segment{};
    in.read(reinterpret_cast<char*>(&segment), sizeof segment);
    if (!in) return refuse("cannot be read");
    if (segment.p_type == PT_DYNAMIC) has_dynamic = true;
    if (segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC) continue;
    if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset) {
      return refuse("cut short: " + std::to_string(size) + " octets do not hold its segments");
    }
  }
  if (!has_dynamic) return refuse("not a shared object: no dynamic section");
  return base::Status::ok();
}

}  // namespace jackfield::plugin
