// What a request says besides its bare headers: subprotocols, arguments, cookies; and addresses.
#include "core/net/request.hpp"

#include <string>

#include "core/net/addresses.hpp"
#include "core/net/handshake.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::net;

Offer offer(const std::string& list, const std::string& origin = "", const char* prefix = "bearer.") {
  Request request;
  request.subprotocols = list;
  request.origin = origin;
  return read_offer(request, prefix);
}

}  // namespace

TEST_GROUP(NetRequest){};

TEST(NetRequest, the_first_subprotocol_that_is_no_token_is_selected) {
  STRCMP_EQUAL("a", offer("a, b").entry.c_str());
  STRCMP_EQUAL("b", offer("bearer.x,b").entry.c_str());
  STRCMP_EQUAL("x", offer("bearer.x,b").token->c_str());
  CHECK(offer("bearer.x,b").is_selected);
  CHECK_FALSE(offer("").is_selected);
  CHECK_FALSE(offer("a").token.has_value());
  STRCMP_EQUAL("bearer.x", offer("bearer.x", "", "").entry.c_str());
  CHECK(offer("bearer.x", "", "").is_selected);
}

TEST(NetRequest, a_token_alone_is_found_but_not_selected_and_no_browsers_matter) {
  const Offer alone = offer("bearer.x");
  LONGS_EQUAL(0, alone.refusal.status);
  STRCMP_EQUAL("bearer.x", alone.entry.c_str());
  CHECK_FALSE(alone.is_selected);
  LONGS_EQUAL(400, offer("bearer.x", "http://page").refusal.status);
}

TEST(NetRequest, odd_subprotocols_are_refused) {
  for (const char* list : {",", "a,", ",a", "a b", "a;b", "bearer.x,bearer.y,a"}) {
    LONGS_EQUAL(400, offer(list).refusal.status);
  }
  LONGS_EQUAL(400, offer(std::string(64, 'a')).refusal.status);
  LONGS_EQUAL(0, offer(std::string(63, 'a')).refusal.status);
  LONGS_EQUAL(400, offer("a," + std::string(124, 'b')).refusal.status);
  LONGS_EQUAL(0, offer("a,bearer." + std::string(116, 'b')).refusal.status);
  LONGS_EQUAL(400, offer("bearer." + std::string(80, 'b') + ",a").refusal.status);
}

TEST(NetRequest, an_argument_is_taken_out_of_the_query) {
  Request request;
  request.arguments = {"a=1", "token=x y&z", "b", "tokens=2", "c=%"};
  STRCMP_EQUAL("x y&z", take_argument(request, "token")->c_str());
  STRCMP_EQUAL("a=1&b&tokens=2&c=%25", query_of(request).c_str());
  CHECK_FALSE(take_argument(request, "token").has_value());
  request.arguments = {"token=1", "token=2"};
  STRCMP_EQUAL("", take_argument(request, "token")->c_str());
  CHECK(request.arguments.empty());
  request.arguments = {"token"};
  STRCMP_EQUAL("", take_argument(request, "token")->c_str());
}

TEST(NetRequest, a_cookie_is_found_by_its_name) {
  const auto find = [](const char* cookies) {
    return std::string(find_cookie(cookies, "t").value_or("none"));
  };
  STRCMP_EQUAL("1", find("t=1").c_str());
  STRCMP_EQUAL("1", find("a=b; t=1; c=d").c_str());
  STRCMP_EQUAL("1", find("a=b;t=1").c_str());
  STRCMP_EQUAL("1", find("t=\"1\"; t=2").c_str());
  STRCMP_EQUAL("a=b", find("t=a=b").c_str());
  STRCMP_EQUAL("", find("t=").c_str());
  STRCMP_EQUAL("none", find("xt=1; tt=2; t").c_str());
  STRCMP_EQUAL("none", find("").c_str());
  STRCMP_EQUAL("none", find(";;;").c_str());
}

TEST(NetRequest, addresses_count_but_for_those_of_this_machine) {
  for (const char* local : {"127.0.0.1", "127.9.9.9", "::1", "unix", "", "x"}) {
    CHECK_FALSE(Addresses::key_of(std::string_view(local)).has_value());
  }
  const auto key = [](std::string_view text) { return *Addresses::key_of(text); };
  CHECK(key("192.0.2.1") == key("192.0.2.1"));
  CHECK(key("192.0.2.1") != key("192.0.2.2"));
  CHECK(key("192.0.2.1") == key("::ffff:192.0.2.1"));
  CHECK(key("2001:db8::1") == key("2001:db8::ffff:1"));
  CHECK(key("2001:db8::1") != key("2001:db8:0:1::1"));
  Addresses addresses;
  LONGS_EQUAL(1, addresses.enter(key("192.0.2.1")));
  LONGS_EQUAL(2, addresses.enter(key("192.0.2.1")));
  LONGS_EQUAL(1, addresses.enter(key("192.0.2.2")));
  addresses.leave(key("192.0.2.1"));
  LONGS_EQUAL(1, addresses.count(key("192.0.2.1")));
  addresses.leave(key("192.0.2.1"));
  LONGS_EQUAL(0, addresses.count(key("192.0.2.1")));
  LONGS_EQUAL(1, addresses.size());
}
