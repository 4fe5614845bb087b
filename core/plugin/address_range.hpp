// A piece of this process's memory: from `begin` up to, not with, `end`. A plain value; any thread.
#pragma once

#include <cstdint>

namespace jackfield::plugin {

struct AddressRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;

  bool contains(std::uintptr_t address) const { return begin <= address && address < end; }

  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

}  // namespace jackfield::plugin
