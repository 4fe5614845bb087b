#include "core/plugin/result_name.hpp"

#include "jackfield.h"

namespace jackfield::plugin {

std::string result_name(std::int32_t result) {
  switch (result) {
    case JF_E_INTERNAL: return "JF_E_INTERNAL";
    case JF_E_PAYLOAD: return "JF_E_PAYLOAD";
    case JF_E_FORBIDDEN: return "JF_E_FORBIDDEN";
    case JF_E_GONE: return "JF_E_GONE";
    case JF_E_THREAD: return "JF_E_THREAD";
    case JF_E_ARGUMENT: return "JF_E_ARGUMENT";
    case JF_E_JSON: return "JF_E_JSON";
    case JF_E_UNSUPPORTED: return "JF_E_UNSUPPORTED";
    case JF_E_LIMIT: return "JF_E_LIMIT";
    case JF_E_STATE: return "JF_E_STATE";
    default: return std::to_string(result);
  }
}

}  // namespace jackfield::plugin
