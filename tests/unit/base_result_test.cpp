#include "core/base/result.hpp"

#include <memory>
#include <string>

#include <CppUTest/TestHarness.h>

using jackfield::base::Result;
using jackfield::base::Status;

TEST_GROUP(BaseResult) {};

TEST(BaseResult, a_status_is_success_or_a_sentence) {
  CHECK(Status::ok().is_ok());
  const Status failure = Status::failure("cannot listen on 127.0.0.1:1: Permission denied");
  CHECK_FALSE(failure.is_ok());
  STRCMP_EQUAL("cannot listen on 127.0.0.1:1: Permission denied", failure.message().c_str());
}

TEST(BaseResult, a_result_moves_its_value_out) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  CHECK(result.is_ok());
  const std::unique_ptr<int> value = std::move(result.value());
  LONGS_EQUAL(7, *value);
}

TEST(BaseResult, a_failed_result_of_a_string_keeps_sentence_and_value_apart) {
  const auto failure = Result<std::string>::failure("no such file");
  CHECK_FALSE(failure.is_ok());
  STRCMP_EQUAL("no such file", failure.message().c_str());
}
