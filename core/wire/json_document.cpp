#include "core/wire/json_document.hpp"

#include <cjson/cJSON.h>

#include <new>
#include <utility>

namespace jackfield::wire {

struct JsonDocument::Node {
  Node() : object(cJSON_CreateObject()) {
    if (object == nullptr) throw std::bad_alloc();
  }
  ~Node() { cJSON_Delete(object); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Takes the value over, also where it throws.
  void add(const std::string& key, cJSON* value) {
    if (value == nullptr || cJSON_AddItemToObject(object, key.c_str(), value) == 0) {
      cJSON_Delete(value);
      throw std::bad_alloc();
    }
  }

  cJSON* object;
};

JsonDocument::JsonDocument() : node_(std::make_unique<Node>()) {}
JsonDocument::~JsonDocument() = default;
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;

void JsonDocument::add(const std::string& key, const std::string& text) {
  node_->add(key, cJSON_CreateString(text.c_str()));
}

void JsonDocument::add(const std::string& key, const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  node_->add(key, cJSON_CreateStringArray(pointers.data(), static_cast<int>(pointers.size())));
}

void JsonDocument::add(const std::string& key, std::uint64_t number) {
  node_->add(key, cJSON_CreateNumber(static_cast<double>(number)));
}

void JsonDocument::add(const std::string& key, JsonDocument object) {
  node_->add(key, std::exchange(object.node_->object, nullptr));
}

void JsonDocument::add(const std::string& key, std::vector<JsonDocument> objects) {
  cJSON* const array = cJSON_CreateArray();
  node_->add(key, array);
  for (JsonDocument& object : objects) {
    if (cJSON_AddItemToArray(array, object.node_->object) == 0) throw std::bad_alloc();
    object.node_->object = nullptr;  // it is the array's now
  }
}

std::string JsonDocument::text() const {
  char* const printed = cJSON_Print(node_->object);
  if (printed == nullptr) throw std::bad_alloc();
  std::string text(printed);
  cJSON_free(printed);
  return text;
}

}  // namespace jackfield::wire
