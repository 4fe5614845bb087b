// States that a plugin must not take on trust, made from one that is right.
#pragma once

#include <string>
#include <vector>

namespace jackfield::test {

// The beginnings of `state`, each cut off somewhere; and octets that never were a state, 1 MiB of
// some. None of them is JSON.
std::vector<std::string> not_json_states(const std::string& state);

// The JSON text `state` with one value in it (each in turn) replaced by one of another type or
// size, left out, or there twice. All of them are JSON, some may be right.
std::vector<std::string> altered_states(const std::string& state);

}  // namespace jackfield::test
