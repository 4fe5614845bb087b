#include "tests/support/run_tests.hpp"

#include <csignal>
#include <cstdio>
#include <string_view>

#include <CppUTest/CommandLineTestRunner.h>
#include <CppUTest/MemoryLeakWarningPlugin.h>
#include <CppUTest/TestHarness.h>
#include <CppUTest/TestPlugin.h>
#include <CppUTest/TestRegistry.h>

namespace jackfield::test {
namespace {

class CountTests : public TestPlugin {
 public:
  CountTests() : TestPlugin("CountTests") {}
  void preTestAction(UtestShell& test, TestResult&) override {
    if (test.willRun()) ++count_;
  }
  int count() const { return count_; }

 private:
  int count_ = 0;
};

bool only_lists(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]).starts_with("-l")) return true;
  }
  return false;
}

}  // namespace

int run_tests(int argc, char** argv) {
  // CppUTest's own operator new is in the way of sanitizers, valgrind and threads, which find more.
  MemoryLeakWarningPlugin::turnOffNewDeleteOverloads();
  std::signal(SIGPIPE, SIG_IGN);
  CountTests counter;
  TestRegistry* registry = TestRegistry::getCurrentRegistry();
  registry->installPlugin(&counter);
  int result = 0;
  {
    CommandLineTestRunner runner(argc, argv, registry);
    result = runner.runAllTestsMain();
  }
  registry->removePluginByName("CountTests");
  if (only_lists(argc, argv)) return result;
  if (counter.count() == 0) std::fprintf(stderr, "no test ran\n");
  return result == 0 && counter.count() > 0 ? 0 : 1;
}

}  // namespace jackfield::test
