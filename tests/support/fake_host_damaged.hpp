// A plugin that is replaced with states that it must not take on trust, made from the one that it
// saves.
#pragma once

#include <functional>
#include <string>

#include "tests/support/fake_host.hpp"
#include "tests/support/where.hpp"

namespace jackfield::test {

// What the plugin saves now, as version 1. Its successor refuses that under version 2, and under
// version 1 the beginnings of it, each cut off somewhere, and octets that never were a state, 1 MiB
// of some: none of them is JSON.
std::string expect_damaged_refused(FakeHost& host, Where where = Where::here());

// Replaces the plugin with the JSON text `state` in which one value (each in turn) is replaced by
// one of another type or size, left out, or there twice. All of them are JSON, some may be right:
// the successor takes or refuses each, and refuses more than a hundred. `check_after` runs after
// each, to see that whoever serves goes on.
void replace_with_altered(FakeHost& host, const std::string& state,
                          const std::function<void()>& check_after, Where where = Where::here());

}  // namespace jackfield::test
