#include "codec/family_impl.h"

namespace leasecheck::codec::family_internal {

Json ErrorAnswer(int code, absl::string_view message, Json data) {
  Json error = Json::object();
  error["code"] = code;
  error["message"] = std::string(message);
  if (!data.is_null()) error["data"] = std::move(data);
  Json answer = Json::object();
  answer["error"] = std::move(error);
  return answer;
}

bool ReadErrorAnswer(const Json& error, int64_t* code, std::string* message, const Json** data) {
  if (!error.is_object()) return false;
  auto code_member = error.find("code");
  if (code_member == error.end() || !Decode(*code_member, code).ok()) return false;
  auto message_member = error.find("message");
  if (message_member == error.end() || !Decode(*message_member, message).ok()) return false;
  auto data_member = error.find("data");
  *data = data_member == error.end() ? nullptr : &*data_member;
  return true;
}

}  // namespace leasecheck::codec::family_internal
