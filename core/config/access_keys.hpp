// How the keys of [auth], [jwt] and [[access]] are read and shown. Any thread, no state.
#pragma once

#include <string>
#include <vector>

#include "core/access/settings.hpp"
#include "core/config/keys.hpp"

namespace jackfield::config {

void read_origins(Field& field, const Target& target);
void read_query_parameter(Field& field, const Target& target);
void read_cookie(Field& field, const Target& target);
void read_subprotocol_prefix(Field& field, const Target& target);
void read_jwt_keys(Field& field, const Target& target);
void read_access(Field& field, const Target& target);

std::string to_toml(const std::vector<access::JwtKey>& keys);
std::string to_toml(const std::vector<access::Rule>& rules);

}  // namespace jackfield::config
