// Threads that still run code of an image after its plugin has stopped: unmapped under them, they
// would crash the process. Linux tells where each thread is (proc(5)), and the rest is read off its
// stack, so this is as good as evidence goes, and where there is none it says so. Any thread; takes
// well under a millisecond, and 20 where a thread is busy.
//
// Sure (`is_certain`): a thread's program counter is in the image; or a word of its stack, from the
// stack pointer up, or of its descriptor leads there: a return address, the function that it was
// started with. The latter is there while the thread is busy, too.
//   Wrong where such a word is a leftover: of a frame that is no more, in a gap of one that is, or
//   in a stack that a thread of the plugin had before. Then the image stays for nothing.
// In doubt: a thread that is busy all the time, or that the kernel does not tell about (no
// /proc/self/task/N/syscall, as a hardened container may have it; no process_vm_readv(2)), and that
// began after the plugin was loaded; one of many that come and go faster than they are looked at.
// Missed: a thread that was started without the C library (clone(2)), or on a stack of its own
// making, while all its frames are other libraries'; one that is on its way into the image by a
// pointer to a function that is nowhere on its stack. Under valgrind, whose threads have two
// stacks, only the descriptor counts.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "core/plugin/address_range.hpp"

namespace jackfield::plugin {

struct LingeringThread {
  pid_t id = 0;  // gettid(2)
  std::string name;
  bool is_certain = false;
};

// The ids of all threads of this process; empty where they cannot be listed (no /proc).
std::set<pid_t> thread_ids();

// Those that run code in one of `ranges` (see Library::ranges_to_unmap), but for the caller and
// `host_threads`: every other thread of the host's own that called the plugin or handles its
// Library, since its stack may lead there without its running there. `earlier_threads` are those
// that thread_ids() gave before the image was mapped: they are never in doubt. Where threads cannot
// be listed, one of the id 0 is in doubt. `process` is for tests.
std::vector<LingeringThread> threads_in(const std::vector<AddressRange>& ranges,
                                        const std::set<pid_t>& host_threads,
                                        const std::set<pid_t>& earlier_threads,
                                        const std::filesystem::path& process = "/proc/self");

}  // namespace jackfield::plugin
