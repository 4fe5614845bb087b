// Says which plugin crashed the server, and lets it crash. While a CrashReporter lives, a signal
// that comes from a crash writes one line of the log to standard error, which names plugin,
// version, generation, callback and topic, and appends a record to the crash history; then the
// process dies of the same signal, by way of what handled it before (AddressSanitizer, say) or with
// a core dump. All within what signal-safety(7) allows.
//
//   ... level=error msg="plugin crashed the server" plugin=chat version=1.0.0 generation=3
//   callback=event topic=room:lab event=say signal=SIGSEGV address=0x0 where=chat.so+0x1234
//
// What is not known is left out. `where` is the instruction, where it is a plugin's; else `caller`
// is the innermost return address on the stack that is one's (or looks like it). `sender` is the
// process that sent the signal, such as a watchdog.
//
// Whom it is put down to:
// - A thread that is within a PluginCall: the plugin that is called, wherever the instruction is.
// - Any other: the plugin whose code the instruction is in; in a thread that the host did not make
//   ready (CrashStack), `caller`'s too, for abort(3) is the C library's code. `callback` is
//   "thread".
// - Nobody: the line is "the server crashed", and nothing is recorded.
//
// Limits: an overflow of the stack is seen in threads with a CrashStack only, and a fault in a
// thread that blocks its signal is not seen at all: the kernel ends the process there and then. One
// crash is reported: threads that crash at the same time wait for its end. A process that was
// forked dies without a word.
#pragma once

#include <csignal>
#include <cstddef>

namespace jackfield::plugin {

// Makes a thread ready to report its crashes, from construction to destruction, both on that
// thread: gives it a stack for the handler (sigaltstack(2)), so that an overflow of its own can be
// reported, unblocks the signals, and marks it as the host's. For each of the host's threads that
// call plugins. Where there is no memory it goes without the stack.
class CrashStack {
 public:
  CrashStack();
  ~CrashStack();  // puts back what was there
  CrashStack(const CrashStack&) = delete;
  CrashStack& operator=(const CrashStack&) = delete;

 private:
  void* memory_ = nullptr;
  std::size_t octets_ = 0;
  stack_t previous_{};
  bool was_host_thread_ = false;
};

// At most one at a time. Made and destroyed on one thread, which it makes ready too.
class CrashReporter {
 public:
  // `history` is CrashHistory::descriptor(), and outlives this; -1: crashes are not recorded.
  explicit CrashReporter(int history);
  // Puts back what was there, where nobody put something else there since.
  ~CrashReporter();
  CrashReporter(const CrashReporter&) = delete;
  CrashReporter& operator=(const CrashReporter&) = delete;

 private:
  CrashStack stack_;
};

}  // namespace jackfield::plugin
