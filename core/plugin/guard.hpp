// Calls into a plugin. None may throw (jackfield.h); one that does all the same must not unwind
// through the loop's C frames, so it ends here.
#pragma once

#include <exception>

namespace jackfield::plugin {

// Runs `call`. Where it throws, `on_throw` is given the exception's text and its result is taken.
template <class Call, class OnThrow>
auto guarded(Call call, OnThrow on_throw) noexcept -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& error) {
    return on_throw(error.what());
  } catch (...) {
    return on_throw("an exception of an unknown type");
  }
}

}  // namespace jackfield::plugin
