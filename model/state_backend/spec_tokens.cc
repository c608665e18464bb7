// Tokens. Nobody can present a token whose creation nobody saw, so such a one is not remembered.
#include <algorithm>
#include <cstdint>

#include "absl/strings/match.h"
#include "model/state_backend/spec_internal.h"

namespace leasecheck::state_backend::spec_internal {
namespace {

constexpr int64_t kTokenTolerance = 1000;  // SB-LAT-26

bool IsNear(Instant a, Instant b) { return SaturatingAdd(a, -kTokenTolerance) <= b && b <= SaturatingAdd(a, kTokenTolerance); }

Verdict CheckText(const SpecState& state, const Secret& plaintext) {
  if (state.FindToken(plaintext) != nullptr) return Refuse<"SB-INV-17">();
  if (IsPlaceholder(plaintext)) return kAllowed;  // the history was read from a file
  const absl::string_view text = plaintext.text;
  if (!absl::StartsWith(text, kTokenPrefix)) return Refuse<"SB-TOK-1">();
  const absl::string_view digits = text.substr(kTokenPrefix.size());
  if (digits.find_first_not_of("0123456789abcdef") != absl::string_view::npos) return Refuse<"SB-TOK-1">();
  return digits.size() < kFewestTokenDigits ? Refuse<"SB-LAT-37">() : kAllowed;
}

Verdict CheckInfo(const Judge& judge, const CreateTokenRequest& request, const ApiToken& info) {
  if (info.id.empty() || judge.state.FindTokenId(info.id) != nullptr) return Refuse<"SB-TOK-2">();
  if (info.name != request.name || info.role != request.role || info.expires_at.has_value()) return Refuse<"SB-TOK-2">();
  if (!IsNear(judge.Clock(), info.created_at)) return Refuse<"SB-TOK-2">();
  return info.tenant_id == OwnerOf(request.view) ? kAllowed : Refuse<"SB-TOK-4">();
}

void CountCreate(const Judge& judge, const CreateTokenRequest& request) {
  judge.Held<"SB-TOK-1">();
  judge.Held<"SB-TOK-2">();
  judge.Held<"SB-LAT-37">();
  judge.Held<"SB-TOK-3">(std::any_of(judge.state.tokens->begin(), judge.state.tokens->end(),
                                     [&](const TokenRow& row) { return row.created->info.name == request.name; }));
}

bool IsExpired(const Judge& judge, const TokenRow& row) { return row.expires_at.has_value() && *row.expires_at <= judge.Clock(); }

Verdict CheckShown(const Judge& judge, const TokenRow& row, const View& view, const ApiToken& shown) {
  const ApiToken& info = row.created->info;
  if (shown.id != info.id || shown.name != info.name || shown.role != info.role) return Refuse<"SB-TOK-4">();
  if (shown.expires_at != row.expires_at) return Refuse<"SB-TOK-8">();
  if (!IsNear(info.created_at, shown.created_at)) return Refuse<"SB-TOK-4">();
  const bool hidden = judge.SqlitePreset() && !view.has_value() && shown.tenant_id == kDefaultTenant;  // SB-LAT-27
  return shown.tenant_id == info.tenant_id || hidden ? kAllowed : Refuse<"SB-TOK-4">();
}

// A call that names a token by its id.
template <ClauseId kId>
Verdict JudgeNamed(const Judge& judge, const TokenRow* row, const Answer<Done>& answer) {
  if (answer.unseen) return kAllowed;
  if (row == nullptr) return answer.IsNotFound() ? kAllowed : Refuse<kId>();
  return answer.error == nullptr ? kAllowed : RefuseError<kId>(judge, answer);
}

}  // namespace

Verdict JudgeCall(Judge& judge, const CreateTokenRequest& request, const Answer<CreatedToken>& answer) {
  if (answer.unseen) return kAllowed;
  const Registered registered = request.view.has_value() ? IsRegistered(judge, *request.view) : Registered::kYes;
  if (answer.error != nullptr) {
    if (registered == Registered::kYes) return RefuseError<"SB-TOK-2">(judge, answer);
    if (!answer.IsDatabase()) return Refuse<"SB-TEN-12">();
    judge.Refused<"SB-TEN-12">();
    return kAllowed;
  }
  if (registered == Registered::kNo) return Refuse<"SB-TEN-12">();
  if (Verdict refused = CheckText(judge.state, answer.response->plaintext)) return refused;
  if (Verdict refused = CheckInfo(judge, request, answer.response->info)) return refused;
  if (judge.counting()) CountCreate(judge, request);
  // In the order of the ids, so that two orders of creation lead to one state.
  auto& rows = judge.state.tokens.Edit();
  const auto place = std::find_if(rows.begin(), rows.end(),
                                  [&](const TokenRow& row) { return answer.response->info.id < row.created->info.id; });
  rows.insert(place, {Share(*answer.response), std::nullopt, false});
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ValidateTokenRequest& request, const Answer<std::optional<ApiToken>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"SB-TOK-5">();
  const TokenRow* row = judge.state.FindToken(request.token);
  const std::optional<ApiToken>& shown = *answer.response;
  const bool expired = row != nullptr && IsExpired(judge, *row);
  if (row == nullptr || row->revoked || expired) {
    if (shown.has_value())
      return row == nullptr ? Refuse<"SB-TOK-5">() : row->revoked ? Refuse<"SB-TOK-7">() : Refuse<"SB-TOK-8">();
    judge.Refused<"SB-TOK-5">(row == nullptr);
    judge.Refused<"SB-TOK-7">(row != nullptr && row->revoked);
    judge.Refused<"SB-TOK-8">(expired);
    return kAllowed;
  }
  if (!shown.has_value()) {
    if (!Sees(request.view, row->created->info.tenant_id)) return kAllowed;  // SB-LAT-28
    return row->expires_at.has_value() ? Refuse<"SB-TOK-8">() : Refuse<"SB-TOK-4">();
  }
  if (Verdict refused = CheckShown(judge, *row, request.view, *shown)) return refused;
  judge.Held<"SB-TOK-4">();
  judge.Held<"SB-TOK-8">(row->expires_at.has_value());
  judge.Held<"SB-TOK-9">();
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const RevokeTokenRequest& request, const Answer<Done>& answer) {
  const TokenRow* row = judge.state.FindTokenId(request.id);
  if (Verdict refused = JudgeNamed<"SB-TOK-7">(judge, row, answer)) return refused;
  if (row != nullptr && answer.error == nullptr) Edit(judge.state, row).revoked = true;
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ExpireTokenRequest& request, const Answer<Done>& answer) {
  const TokenRow* row = judge.state.FindTokenId(request.id);
  if (Verdict refused = JudgeNamed<"SB-TOK-8">(judge, row, answer)) return refused;
  if (row != nullptr && answer.error == nullptr) Edit(judge.state, row).expires_at = request.expires_at;
  return kAllowed;
}

}  // namespace leasecheck::state_backend::spec_internal
