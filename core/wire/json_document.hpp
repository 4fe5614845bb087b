// JSON objects that the server itself makes: reports and answers of its control plane, not
// messages. Over cJSON, in this file's source only. Any thread; a value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::wire {

class JsonDocument {
 public:
  // An empty object.
  JsonDocument();
  ~JsonDocument();
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;

  // Each adds one member. Text is UTF-8; a number keeps 15 digits.
  void add(const std::string& key, const std::string& text);
  void add(const std::string& key, const char* text) { add(key, std::string(text)); }
  void add(const std::string& key, std::uint64_t number);
  void add(const std::string& key, const std::vector<std::string>& texts);
  void add(const std::string& key, JsonDocument object);
  void add(const std::string& key, std::vector<JsonDocument> objects);

  // In the order of adding, indented.
  std::string text() const;

 private:
  struct Node;
  std::unique_ptr<Node> node_;
};

}  // namespace jackfield::wire
