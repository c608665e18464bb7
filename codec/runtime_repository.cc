#include "codec/family_impl.h"
#include "model/runtime_repository/family.h"

namespace leasecheck::codec {

using F = RuntimeRepositoryFamily;

template std::optional<std::size_t> FindOperation<F>(absl::string_view);
template Json EncodeRequest<F>(const RequestOf<F>&, Secrets);
template absl::StatusOr<RequestOf<F>> DecodeRequest<F>(absl::string_view, const Json&, const DecodeOptions&);
template Json EncodeResponse<F>(const ResponseOf<F>&, Secrets);
template absl::StatusOr<ResponseOf<F>> DecodeResponse<F>(std::size_t, const Json&, const DecodeOptions&);
template Json EncodeError<F>(const F::Error&);
template absl::StatusOr<F::Error> DecodeError<F>(const Json&, const DecodeOptions&);
template Json EncodeOutcome<F>(const OutcomeOf<F>&, Secrets);
template OutcomeOf<F> DecodeOutcome<F>(std::size_t, const Json&);

}  // namespace leasecheck::codec
