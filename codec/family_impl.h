// The bodies of codec/family.h. Included only by the file that instantiates them for a family, codec/<family>.cc.
#ifndef LEASECHECK_CODEC_FAMILY_IMPL_H_
#define LEASECHECK_CODEC_FAMILY_IMPL_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codec/family.h"
#include "codec/values.h"

namespace leasecheck::codec {
namespace family_internal {

// {"error": {...}}, without data where it is null.
Json ErrorAnswer(int code, absl::string_view message, Json data);

// The parts of an error answer; false where it has not the shape of one.
bool ReadErrorAnswer(const Json& error, int64_t* code, std::string* message, const Json** data);

}  // namespace family_internal

template <class F>
std::optional<std::size_t> FindOperation(absl::string_view name) {
  std::optional<std::size_t> found;
  ForEachOperation<F>([&](const auto& operation, std::size_t index) {
    if (operation.name == name) found = index;
  });
  return found;
}

template <class F>
Json EncodeRequest(const RequestOf<F>& request, Secrets secrets) {
  return VisitOperation<F>(request.index(), [&]<std::size_t I>() { return Encode(*std::get_if<I>(&request), secrets); });
}

template <class F>
absl::StatusOr<RequestOf<F>> DecodeRequest(absl::string_view method, const Json& params, const DecodeOptions& options) {
  std::optional<std::size_t> operation = FindOperation<F>(method);
  if (!operation.has_value()) {
    return absl::NotFoundError(absl::StrCat("the family ", F::kName, " has no method ", method.substr(0, 60)));
  }
  RequestOf<F> request;
  absl::Status status =
      VisitOperation<F>(*operation, [&]<std::size_t I>() { return Decode(params, &request.template emplace<I>(), options); });
  if (!status.ok()) return status;
  return request;
}

template <class F>
Json EncodeResponse(const ResponseOf<F>& response, Secrets secrets) {
  return VisitOperation<F>(response.index(), [&]<std::size_t I>() { return Encode(*std::get_if<I>(&response), secrets); });
}

template <class F>
absl::StatusOr<ResponseOf<F>> DecodeResponse(std::size_t operation, const Json& result, const DecodeOptions& options) {
  ResponseOf<F> response;
  absl::Status status =
      VisitOperation<F>(operation, [&]<std::size_t I>() { return Decode(result, &response.template emplace<I>(), options); });
  if (!status.ok()) return status;
  return response;
}

template <class F>
Json EncodeError(const typename F::Error& error) {
  return Encode(error);
}

template <class F>
absl::StatusOr<typename F::Error> DecodeError(const Json& data, const DecodeOptions& options) {
  typename F::Error error;
  absl::Status status = Decode(data, &error, options);
  if (!status.ok()) return status;
  return error;
}

template <class F>
Json EncodeOutcome(const OutcomeOf<F>& outcome, Secrets secrets) {
  using family_internal::ErrorAnswer;
  switch (outcome.index()) {
    case 0: {
      Json answer = Json::object();
      answer["result"] = EncodeResponse<F>(std::get<0>(outcome), secrets);
      return answer;
    }
    case 1:
      return ErrorAnswer(kContractError, "contract error", EncodeError<F>(std::get<1>(outcome)));
    case 2:
      return ErrorAnswer(kOutcomeUnknown, std::get<Indefinite>(outcome).detail, nullptr);
    case 3:
      return ErrorAnswer(kMethodNotFound, "not supported by this backend", nullptr);
    default:
      return ErrorAnswer(kInternalError, std::get<ForeignError>(outcome).detail, nullptr);
  }
}

template <class F>
OutcomeOf<F> DecodeOutcome(std::size_t operation, const Json& answer) {
  auto foreign = [](absl::string_view detail) { return OutcomeOf<F>(ForeignError{std::string(detail)}); };
  if (!answer.is_object() || answer.contains("result") == answer.contains("error")) {
    return foreign("an answer has either a result or an error");
  }
  if (answer.contains("result")) {
    absl::StatusOr<ResponseOf<F>> response = DecodeResponse<F>(operation, answer["result"]);
    if (!response.ok()) return foreign(response.status().message());
    return OutcomeOf<F>(std::in_place_index<0>, *std::move(response));
  }
  int64_t code = 0;
  std::string message;
  const Json* data = nullptr;
  if (!family_internal::ReadErrorAnswer(answer["error"], &code, &message, &data)) {
    return foreign("error: expected an object with a whole number \"code\" and a string \"message\"");
  }
  if (code == kOutcomeUnknown) return OutcomeOf<F>(Indefinite{std::move(message)});
  if (code == kMethodNotFound) return OutcomeOf<F>(Unsupported{});
  if (code != kContractError) return foreign(absl::StrCat("error ", code, ": ", message));
  if (data == nullptr) return foreign("error.data: a contract error names itself there");
  absl::StatusOr<typename F::Error> error = DecodeError<F>(*data);
  if (!error.ok()) return foreign(error.status().message());
  return OutcomeOf<F>(std::in_place_index<1>, *std::move(error));
}

}  // namespace leasecheck::codec

#endif  // LEASECHECK_CODEC_FAMILY_IMPL_H_
