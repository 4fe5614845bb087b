// The end of a process that has no memory left for what only it can do. Where memory is out for
// what somebody asked for, that is refused instead, at its place; this is for the rest: nothing is
// left half done, and whoever supervises the process starts it again. Any thread.
#pragma once

namespace jackfield::base {

// Says so on standard error, in one line, and exits with this code. Allocates nothing, runs no
// destructor.
inline constexpr int kOutOfMemoryExit = 1;
[[noreturn]] void end_out_of_memory() noexcept;

// From now on a std::bad_alloc that nobody catches ends the process so, instead of by SIGABRT,
// which would look like a crash. Once, at the start.
void end_where_memory_is_out();

}  // namespace jackfield::base
