// Any bytes into the decoders. The first byte picks the decoder, the rest is the text: 'a' + i a request of operation i, 'A' + i
// an answer to it, '!' a contract error, anything else only the parser; with its high bit set, of the second family. After a byte
// 0xff comes one that picks a decoder of the third, after 0xfe of the fourth. What is accepted must come back equal from its own
// text.
#include <cstddef>
#include <cstdint>
#include <string>

#include "codec/family.h"
#include "codec/json.h"
#include "model/runtime_persistence/family.h"
#include "model/runtime_repository/family.h"
#include "model/session_store/family.h"
#include "model/state_backend/family.h"
#include "tests/fuzz/require.h"

namespace leasecheck::fuzz {
namespace {

using codec::Json;

Json ThroughText(const Json& json) {
  absl::StatusOr<Json> parsed = codec::ParseJson(codec::DumpJson(json));
  Require(parsed.ok(), "written text can be read");
  return *parsed;
}

template <class F>
void CheckRequest(std::size_t operation, const Json& params) {
  const absl::string_view name = OperationName<F>(operation);
  absl::StatusOr<RequestOf<F>> request = codec::DecodeRequest<F>(name, params);
  if (!request.ok()) return Require(!request.status().message().empty(), "a refusal says why");
  absl::StatusOr<RequestOf<F>> again =
      codec::DecodeRequest<F>(name, ThroughText(codec::EncodeRequest<F>(*request, codec::Secrets::kPlaintext)));
  Require(again.ok() && *again == *request, "a request comes back equal");
}

template <class F>
void CheckAnswer(std::size_t operation, const Json& answer) {
  const OutcomeOf<F> outcome = codec::DecodeOutcome<F>(operation, answer);
  Require(
      codec::DecodeOutcome<F>(operation, ThroughText(codec::EncodeOutcome<F>(outcome, codec::Secrets::kPlaintext))) == outcome,
      "an outcome comes back equal");
}

template <class F>
void CheckError(const Json& data) {
  absl::StatusOr<typename F::Error> error = codec::DecodeError<F>(data);
  if (!error.ok()) return;
  absl::StatusOr<typename F::Error> again = codec::DecodeError<F>(ThroughText(codec::EncodeError<F>(*error)));
  Require(again.ok() && *again == *error, "an error comes back equal");
}

template <class F>
void CheckText(absl::string_view text, char decoder) {
  absl::StatusOr<Json> json = codec::ParseJson(text);
  if (!json.ok()) return Require(json.status().message().size() < 400, "a parse error is a short sentence");
  const std::string canonical = codec::CanonicalText(*json);
  Require(codec::CanonicalText(ThroughText(*json)) == canonical, "canonical text stays");
  const std::size_t operation = static_cast<std::size_t>((decoder | 0x20) - 'a');
  if (decoder == '!') CheckError<F>(*json);
  if (operation >= kOperationCount<F>) return;
  decoder >= 'a' ? CheckRequest<F>(operation, *json) : CheckAnswer<F>(operation, *json);
}

}  // namespace
}  // namespace leasecheck::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool third = data[0] == 0xff && size > 1;
  const bool fourth = data[0] == 0xfe && size > 1;
  const std::size_t picked = third || fourth ? 1 : 0;
  const absl::string_view text(reinterpret_cast<const char*>(data) + picked + 1, size - picked - 1);
  const char decoder = static_cast<char>(data[picked] & 0x7f);
  if (third) {
    leasecheck::fuzz::CheckText<leasecheck::RuntimeRepositoryFamily>(text, decoder);
  } else if (fourth) {
    leasecheck::fuzz::CheckText<leasecheck::StateBackendFamily>(text, decoder);
  } else if (data[0] < 0x80) {
    leasecheck::fuzz::CheckText<leasecheck::SessionStoreFamily>(text, decoder);
  } else {
    leasecheck::fuzz::CheckText<leasecheck::RuntimePersistenceFamily>(text, decoder);
  }
  return 0;
}
