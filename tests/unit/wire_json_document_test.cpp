#include "core/wire/json_document.hpp"

#include <string>

#include "core/wire/json_text.hpp"

#include <CppUTest/TestHarness.h>

TEST_GROUP(WireJsonDocument) {};

TEST(WireJsonDocument, members_stand_in_their_order) {
  jackfield::wire::JsonDocument document;
  document.add("name", std::string("a \"b\""));
  document.add("patterns", std::vector<std::string>{"echo:<name>", "x"});
  const std::string text = document.text();
  CHECK(jackfield::wire::is_json(text));
  STRCMP_EQUAL("{\n\t\"name\":\t\"a \\\"b\\\"\",\n\t\"patterns\":\t[\"echo:<name>\", \"x\"]\n}",
               text.c_str());
}

TEST(WireJsonDocument, numbers_and_objects_nest) {
  jackfield::wire::JsonDocument document;
  document.add("count", std::uint64_t{999999999999999});
  std::vector<jackfield::wire::JsonDocument> objects(2);
  objects[0].add("name", "first");
  document.add("list", std::move(objects));
  STRCMP_EQUAL("{\n\t\"count\":\t999999999999999,\n\t\"list\":\t[{\n\t\t\t\"name\":\t\"first\"\n\t\t}, {\n\t\t}]\n}",
               document.text().c_str());
}
