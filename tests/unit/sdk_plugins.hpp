// What tests of jackfield.hpp write their own plugins with.
#pragma once

#include <jackfield.hpp>

namespace jackfield::test {

// The table of a plugin class, as JACKFIELD_PLUGIN exports it.
template <class Class>
constexpr jf_plugin kTable = {sizeof(jf_plugin),
                              JF_ABI_MINOR,
                              JF_TEXT("test"),
                              JF_TEXT("1.0.0"),
                              JF_TEXT("A plugin of a test"),
                              JF_TEXT("MIT"),
                              &jf::Plugin::start_entry<Class>,
                              &jf::Plugin::stop_entry,
                              jf::detail::Entries<Class>::configure,
                              jf::detail::Entries<Class>::save,
                              jf::detail::Entries<Class>::resume};

// Counts how many of its copies are alive: what a closure captured.
struct Alive {
  explicit Alive(int* to) : count(to) { ++*count; }
  Alive(const Alive& other) : count(other.count) { ++*count; }
  Alive(Alive&& other) noexcept : count(other.count) { ++*count; }
  ~Alive() { --*count; }
  int* count;
};

}  // namespace jackfield::test
