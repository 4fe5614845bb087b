// Between the ABI's jf_text and std::string_view.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "jackfield.h"

namespace jackfield::plugin {

// Whether it may be read at all: a null pointer only with size 0, and a size that can be one.
inline bool is_valid(const jf_text& text) {
  return text.size <= PTRDIFF_MAX && (text.data != nullptr || text.size == 0);
}

// REQUIRES: is_valid(text)
inline std::string_view view(const jf_text& text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}

inline jf_text to_text(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace jackfield::plugin
