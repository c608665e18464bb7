// JSON of a family's calls, made from its operation table: the contract calls of PROTOCOL.md.
//
//   codec::Json params = codec::EncodeRequest<F>(request);                        // {"session_id":"s"}
//   absl::StatusOr<RequestOf<F>> read = codec::DecodeRequest<F>("list_queued_work", params);
//
// Requests and answers are written with placeholders for their secrets, unless the caller asks for the plaintext, as the wire
// does (codec/values.h). The functions are compiled once a family, in codec/<family>.cc; this header only declares them. All are
// pure and thread-safe.
#ifndef LEASECHECK_CODEC_FAMILY_H_
#define LEASECHECK_CODEC_FAMILY_H_

#include <cstddef>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codec/json.h"
#include "codec/values.h"
#include "model/operation.h"

namespace leasecheck::codec {

// The JSON-RPC error codes of the wire (PROTOCOL.md, "Contract calls").
inline constexpr int kContractError = -32000;
inline constexpr int kOutcomeUnknown = -32001;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kParseError = -32700;

// The index in the table of the operation with this name; none where there is no such operation.
template <class F>
std::optional<std::size_t> FindOperation(absl::string_view name);

// The params of a call; which operation it is, the request's index says.
template <class F>
Json EncodeRequest(const RequestOf<F>& request, Secrets secrets = Secrets::kPlaceholder);

// How a served store reads its params, and how traces read theirs.
inline constexpr DecodeOptions kStrictParams{DecodeOptions::Unknown::kReject, DecodeOptions::Absent::kError, "params"};
inline constexpr DecodeOptions kLenientParams{DecodeOptions::Unknown::kReject, DecodeOptions::Absent::kDefault, ""};

// NotFound: the family has no such operation. InvalidArgument: the params are not those of it.
template <class F>
absl::StatusOr<RequestOf<F>> DecodeRequest(absl::string_view method, const Json& params,
                                           const DecodeOptions& options = kStrictParams);

// The result of a call.
template <class F>
Json EncodeResponse(const ResponseOf<F>& response, Secrets secrets = Secrets::kPlaceholder);

inline constexpr DecodeOptions kResult{DecodeOptions::Unknown::kIgnore, DecodeOptions::Absent::kError, "result"};

// InvalidArgument: `result` is not one of this operation.
template <class F>
absl::StatusOr<ResponseOf<F>> DecodeResponse(std::size_t operation, const Json& result, const DecodeOptions& options = kResult);

// The `data` of a contract error: {"error":"QueuedWorkClaimExpired", fields...}.
template <class F>
Json EncodeError(const typename F::Error& error);

inline constexpr DecodeOptions kErrorData{DecodeOptions::Unknown::kIgnore, DecodeOptions::Absent::kError, "error.data"};

template <class F>
absl::StatusOr<typename F::Error> DecodeError(const Json& data, const DecodeOptions& options = kErrorData);

// The member that an answer carries its outcome in: {"result": ...}, or {"error": {"code", "message", "data"?}}.
template <class F>
Json EncodeOutcome(const OutcomeOf<F>& outcome, Secrets secrets = Secrets::kPlaceholder);

// Reads what EncodeOutcome writes from any object that has exactly one of the two members. What is no answer of this operation
// is a ForeignError with the reason.
template <class F>
OutcomeOf<F> DecodeOutcome(std::size_t operation, const Json& answer);

}  // namespace leasecheck::codec

#endif  // LEASECHECK_CODEC_FAMILY_H_
