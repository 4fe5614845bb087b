#include "core/hub/chain.hpp"

#include <string>

#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;

namespace {

struct Element {
  char name;
  Element* previous = nullptr;
  Element* next = nullptr;
};

}  // namespace

TEST_GROUP(HubChain) {
  Element a{'a'};
  Element b{'b'};
  Element c{'c'};
  Chain<Element> chain;

  void check(const std::string& names) {
    LONGS_EQUAL(names.size(), chain.size());
    CHECK_EQUAL(names.empty(), chain.is_empty());
    std::string found;
    for (const Element* at = chain.newest(); at != nullptr; at = at->next) found += at->name;
    STRCMP_EQUAL(names.c_str(), found.c_str());
  }
};

TEST(HubChain, the_newest_comes_first) {
  check("");
  chain.add(a);
  check("a");
  chain.add(b);
  chain.add(c);
  check("cba");
}

TEST(HubChain, any_of_them_is_taken_out_and_may_be_added_again) {
  chain.add(a);
  chain.add(b);
  chain.add(c);
  chain.remove(b);
  check("ca");
  chain.remove(c);
  check("a");
  chain.add(b);
  check("ba");
  chain.remove(a);
  check("b");
  chain.remove(b);
  check("");
}
