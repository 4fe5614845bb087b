#include "core/config/access_keys.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/config/toml_text.hpp"

namespace jackfield::config {
namespace {

using TextResult = base::Result<std::string>;

constexpr std::size_t kMaxRules = 1000;
constexpr std::size_t kMaxKeys = 16;
constexpr std::size_t kMaxKid = 128;

TextResult refuse(std::string_view right_form, const std::string& text) {
  return TextResult::failure("must be " + std::string(right_form) + ", is " + describe(text));
}

// A token of RFC 9110 section 5.6.2: what a header's name, a cookie's name and a subprotocol are.
bool is_token(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f &&
           std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
  });
}

void read_word(Field& field, std::string& target, std::string_view right_form) {
  constexpr std::size_t kMost = 32;
  const std::string* word = field.text(right_form);
  if (word == nullptr) return;
  if (word->size() > kMost || !is_token(*word)) return field.refuse(right_form);
  target = *word;
}

// One name that a table of a list takes.
struct Part {
  std::string_view name;
  std::function<void(Field& field)> read;
  bool is_required = true;
};

// Reads the tables of a list, [[name]], one after the other. `begin` is told of each.
void read_tables(Field& field, std::string_view right_form, std::size_t most,
                 const std::function<void()>& begin, const std::vector<Part>& parts) {
  if (field.value().kind != Value::Kind::kList) return field.refuse(right_form);
  if (field.value().items.size() > most) {
    return field.note("has more than " + std::to_string(most) + " entries");
  }
  std::string names;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    names += i == 0 ? "" : i + 1 < parts.size() ? ", " : " and ";
    names += parts[i].name;
  }
  for (std::size_t i = 0; i < field.value().items.size(); ++i) {
    const Value& item = field.value().items[i];
    Field entry = field.part("[" + std::to_string(i) + "]", item);
    if (item.kind != Value::Kind::kTable) {
      entry.refuse(right_form);
      continue;
    }
    begin();
    for (const Member& member : item.members) {
      Field value = entry.part("." + member.key, member.value);
      const auto known = std::find_if(parts.begin(), parts.end(),
                                      [&](const Part& part) { return part.name == member.key; });
      if (known == parts.end()) {
        value.note("unknown; there are " + names);
      } else {
        known->read(value);
      }
    }
    for (const Part& part : parts) {
      const bool is_there =
          std::any_of(item.members.begin(), item.members.end(),
                      [&](const Member& member) { return member.key == part.name; });
      if (part.is_required && !is_there) entry.note("must have " + std::string(part.name));
    }
  }
}

void read_list(Field& field, std::vector<std::string>& target, std::string_view right_form,
               base::Status (*check)(std::string_view text)) {
  field.texts(target, right_form, [check](const std::string& text) {
    const base::Status status = check(text);
    return status.is_ok() ? TextResult(text) : refuse(status.message(), text);
  });
  const bool is_empty = field.value().kind == Value::Kind::kList && field.value().items.empty();
  if (is_empty) field.refuse(right_form);
}

}  // namespace

void read_origins(Field& field, const Target& target) {
  static constexpr std::string_view kForm = "a list of origins such as \"https://app.example\"";
  field.texts(target.config.access.origins, kForm, [](const std::string& text) {
    TextResult kept = access::read_origin(text);
    return kept.is_ok() ? kept : refuse(kept.message(), text);
  });
}

void read_query_parameter(Field& field, const Target& target) {
  read_word(field, target.config.access.query_parameter,
            "a name of at most 32 letters, digits and -._, or \"\" for none");
}

void read_cookie(Field& field, const Target& target) {
  read_word(field, target.config.access.cookie,
            "the name of a cookie of at most 32 characters, or \"\" for none");
}

void read_subprotocol_prefix(Field& field, const Target& target) {
  read_word(field, target.config.access.subprotocol_prefix,
            "the begin of a subprotocol of at most 32 characters, such as \"bearer.\", or \"\" for "
            "none");
}

void read_jwt_keys(Field& field, const Target& target) {
  std::vector<access::JwtKey> keys;
  const auto read_kid = [&](Field& part) {
    static constexpr std::string_view kForm = "a string of at most 128 octets";
    const std::string* text = part.text(kForm);
    if (text == nullptr) return;
    if (text->size() > kMaxKid) return part.refuse(kForm);
    keys.back().kid = *text;
  };
  const auto read_algorithm = [&](Field& part) {
    using access::Algorithm;
    static constexpr std::string_view kForm = R"("HS256", "RS256" or "ES256")";
    const std::string* text = part.text(kForm);
    if (text == nullptr) return;
    for (const Algorithm each : {Algorithm::kHs256, Algorithm::kRs256, Algorithm::kEs256}) {
      if (*text != access::algorithm_name(each)) continue;
      keys.back().algorithm = each;
      return;
    }
    part.refuse(kForm);
  };
  const auto read_file = [&](Field& part) {
    static constexpr std::string_view kForm = "the path of a file";
    const std::string* text = part.text(kForm);
    if (text == nullptr) return;
    if (text->empty() || text->find('\0') != std::string::npos) return part.refuse(kForm);
    keys.back().file = target.folder / *text;
  };
  read_tables(field, "tables, [[jwt.keys]]", kMaxKeys, [&] { keys.emplace_back(); },
              {{"kid", read_kid, false}, {"algorithm", read_algorithm}, {"file", read_file}});
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool is_twice = std::any_of(
        keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(i),
        [&](const access::JwtKey& key) {
          return key.kid == keys[i].kid && key.algorithm == keys[i].algorithm && !key.kid.empty();
        });
    if (is_twice) field.note("has the kid " + describe(keys[i].kid) + " twice");
  }
  target.config.access.jwt_keys = std::move(keys);
}

void read_access(Field& field, const Target& target) {
  std::vector<access::Rule> rules;
  read_tables(field, "tables, [[access]]", kMaxRules, [&] { rules.emplace_back(); },
              {{"topics",
                [&](Field& part) {
                  read_list(part, rules.back().topics, "a list of topics such as \"room:*\"",
                            access::check_rule_topic);
                }},
               {"who",
                [&](Field& part) {
                  read_list(part, rules.back().who,
                            "a list such as \"anyone\", \"jwt:alice\", \"group:ops\"",
                            access::check_rule_who);
                }},
               {"may", [&](Field& part) {
                  read_list(part, rules.back().may,
                            R"(a list of "subscribe", "send" and "publish")",
                            access::check_rule_action);
                }}});
  target.config.access.rules = std::move(rules);
}

std::string to_toml(const std::vector<access::JwtKey>& keys) {
  std::string text = "[";
  for (const access::JwtKey& key : keys) {
    if (text.size() > 1) text += ", ";
    text += "{kid = " + to_toml(key.kid) +
            ", algorithm = " + to_toml(std::string(access::algorithm_name(key.algorithm))) +
            ", file = " + to_toml(key.file) + "}";
  }
  return text + "]";
}

std::string to_toml(const std::vector<access::Rule>& rules) {
  std::string text = "[";
  for (const access::Rule& rule : rules) {
    if (text.size() > 1) text += ", ";
    text += "{topics = " + to_toml(rule.topics) + ", who = " + to_toml(rule.who) +
            ", may = " + to_toml(rule.may) + "}";
  }
  return text + "]";
}

}  // namespace jackfield::config
