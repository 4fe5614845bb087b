#include "core/plugin/loaded_image.hpp"

#include <link.h>
#include <poll.h>

#include <array>
#include <atomic>

namespace jackfield::plugin {
namespace {

constexpr int kPatienceMs = 5000;

struct Slot {
  std::atomic<const Callee*> callee{nullptr};  // null: free
  std::atomic<std::uintptr_t> base{0};
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);

// What a signal handler can see is static.
constinit std::array<Slot, LoadedImage::kMaxImages> slots{};
constinit std::atomic<bool> are_kept{false};

struct Search {
  std::uintptr_t inside;
  std::optional<CodeRange> found;
};

// The executable segment of the image that has a segment around the address.
int look_at(dl_phdr_info* image, std::size_t, void* argument) {
  auto& search = *static_cast<Search*>(argument);
  bool holds = false;
  CodeRange range;
  range.base = image->dlpi_addr;
  for (std::size_t i = 0; i < image->dlpi_phnum; ++i) {
    const auto& header = image->dlpi_phdr[i];
    if (header.p_type != PT_LOAD) continue;
    const std::uintptr_t begin = image->dlpi_addr + header.p_vaddr;
    const std::uintptr_t end = begin + header.p_memsz;
    if (search.inside >= begin && search.inside < end) holds = true;
    if ((header.p_flags & PF_X) == 0) continue;
    if (range.end == 0) range.begin = begin;
    range.end = end;  // segments are in ascending order (elf(5))
  }
  if (!holds) return 0;
  if (range.end != 0) search.found = range;
  return 1;
}

}  // namespace

std::optional<CodeRange> CodeRange::of(const void* inside) {
  Search search{reinterpret_cast<std::uintptr_t>(inside), std::nullopt};
  ::dl_iterate_phdr(look_at, &search);
  return search.found;
}

LoadedImage::LoadedImage(const CodeRange& range, const Callee& callee) : slot_(0) {
  while (slot_ < kMaxImages && slots[slot_].callee != nullptr) ++slot_;
  if (range.begin >= range.end) slot_ = kMaxImages;
  if (slot_ == kMaxImages) return;
  Slot& slot = slots[slot_];
  slot.base = range.base;
  slot.begin = range.begin;
  slot.end = range.end;
  slot.callee = &callee;  // last: now it counts
}

LoadedImage::~LoadedImage() {
  if (slot_ == kMaxImages) return;
  slots[slot_].callee = nullptr;
  // In one order for all threads (seq_cst): either a report finds the slot free, or we find that
  // there is a report.
  if (are_kept) ::poll(nullptr, 0, kPatienceMs);
}

LoadedImage::Place LoadedImage::at(std::uintptr_t address) noexcept {
  for (const Slot& slot : slots) {
    const Callee* const callee = slot.callee;
    if (callee == nullptr || address < slot.begin || address >= slot.end) continue;
    return {callee, address - slot.base};
  }
  return {};
}

void LoadedImage::keep_all() noexcept { are_kept = true; }

}  // namespace jackfield::plugin
