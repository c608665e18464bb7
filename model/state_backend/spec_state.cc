// The state of the spec: equality, hashing, lookup, and the changes that several operations make.
#include <algorithm>
#include <memory>

#include "absl/hash/hash.h"
#include "model/state_backend/spec_internal.h"

namespace leasecheck::state_backend {

using spec_internal::SameValue;

namespace {

template <class Row, class Key, class KeyOf>
auto Place(Row& rows, const Key& key, KeyOf key_of) {
  return std::lower_bound(rows.begin(), rows.end(), key, [&](const auto& row, const Key& k) { return key_of(row) < k; });
}

template <class Row, class Key, class KeyOf>
const Row* FindRow(const std::vector<Row>& rows, const Key& key, KeyOf key_of) {
  const auto found = Place(rows, key, key_of);
  return found == rows.end() || !(key_of(*found) == key) ? nullptr : &*found;
}

template <class Row, class KeyOf>
void PutRow(std::vector<Row>& rows, Row row, KeyOf key_of) {
  const auto place = Place(rows, key_of(row), key_of);
  if (place != rows.end() && key_of(*place) == key_of(row)) {
    *place = std::move(row);
  } else {
    rows.insert(place, std::move(row));
  }
}

const auto kIdOfExecution = [](const Execution& row) { return row.id(); };
const auto kIdOfLog = [](const Log& row) { return row.execution_id; };
const auto kIdOfItem = [](const Item& row) { return row.id(); };
const auto kIdOfTenant = [](const TenantRow& row) { return absl::string_view(row.value->id); };

// The element of `cow` at the place of `row`, which is one of its own.
template <class Row>
Row& EditRow(Cow<std::vector<Row>>& cow, const Row* row) {
  const std::ptrdiff_t index = row - cow->data();
  return cow.Edit()[static_cast<std::size_t>(index)];
}

}  // namespace

bool operator==(const Execution& a, const Execution& b) {
  return a.status == b.status && a.updated_at == b.updated_at && a.completed_at == b.completed_at &&
         SameValue(a.state, b.state) && SameValue(a.born, b.born);
}

bool operator==(const Log& a, const Log& b) {
  return a.execution_id == b.execution_id && SameValue(a.newest, b.newest) &&
         std::equal(a.entries->begin(), a.entries->end(), b.entries->begin(), b.entries->end(),
                    [](const Entry& x, const Entry& y) { return x.sequence == y.sequence && SameValue(x.event, y.event); });
}

bool operator==(const Item& a, const Item& b) {
  return a.stage == b.stage && a.ends == b.ends && a.attempt == b.attempt && a.lease == b.lease &&
         a.retry_after == b.retry_after && a.unscoped == b.unscoped && SameValue(a.worker, b.worker) &&
         SameValue(a.last_error, b.last_error) && SameValue(a.letter, b.letter) && SameValue(a.work, b.work);
}

bool operator==(const TokenRow& a, const TokenRow& b) {
  return a.revoked == b.revoked && a.expires_at == b.expires_at && SameValue(a.created, b.created);
}

const Execution* SpecState::FindExecution(const ExecutionId& id) const { return FindRow(*executions, id, kIdOfExecution); }
const Log* SpecState::FindLog(const ExecutionId& id) const { return FindRow(*logs, id, kIdOfLog); }
const Item* SpecState::FindItem(const WorkItemId& id) const { return FindRow(*items, id, kIdOfItem); }
const TenantRow* SpecState::FindTenant(absl::string_view id) const { return FindRow(*tenants, id, kIdOfTenant); }

const TokenRow* SpecState::FindToken(const Secret& plaintext) const {
  const auto found =
      std::find_if(tokens->begin(), tokens->end(), [&](const TokenRow& row) { return row.created->plaintext == plaintext; });
  return found == tokens->end() ? nullptr : &*found;
}
const TokenRow* SpecState::FindTokenId(absl::string_view id) const {
  const auto found =
      std::find_if(tokens->begin(), tokens->end(), [&](const TokenRow& row) { return row.created->info.id == id; });
  return found == tokens->end() ? nullptr : &*found;
}

bool operator==(const SpecState& a, const SpecState& b) {
  return a.sessions == b.sessions && a.duplicates == b.duplicates && a.elsewhere == b.elsewhere && a.payloads == b.payloads &&
         a.callers == b.callers && a.seed == b.seed && a.items == b.items && a.executions == b.executions && a.logs == b.logs &&
         a.tokens == b.tokens && a.definitions == b.definitions && a.tenants == b.tenants;
}

std::size_t HashOf(const SpecState& state) {
  std::size_t hash = absl::HashOf(state.sessions, state.duplicates, state.elsewhere, state.payloads, state.callers, state.seed,
                                  state.definitions->size(), state.tokens->size(), state.tenants->size());
  for (const Execution& execution : *state.executions) {
    hash = absl::HashOf(hash, execution.id(), execution.status, *execution.state, execution.updated_at.from);
  }
  for (const Log& log : *state.logs) {
    hash = absl::HashOf(hash, log.entries->size(), log.newest == nullptr ? Uuid() : log.newest->id);
    if (!log.entries->empty()) hash = absl::HashOf(hash, log.entries->back().event->id);
  }
  for (const Item& item : *state.items) {
    hash = absl::HashOf(hash, item.id(), item.stage, item.ends, item.attempt, item.lease.from);
    if (item.worker != nullptr) hash = absl::HashOf(hash, *item.worker);
    if (item.retry_after.has_value()) hash = absl::HashOf(hash, item.retry_after->from);
  }
  for (const DefinitionRow& row : *state.definitions) hash = absl::HashOf(hash, row.value->ir.text);
  for (const TokenRow& row : *state.tokens) hash = absl::HashOf(hash, row.revoked);
  return hash;
}

namespace spec_internal {

bool MayChoose(const SpecState& state, Choice SpecState::*point, Choice choice) {
  return state.*point == Choice::kOpen || state.*point == choice;
}
void Choose(SpecState& state, Choice SpecState::*point, Choice choice) { state.*point = choice; }

Registered IsRegistered(const Judge& judge, absl::string_view tenant) {
  if (tenant == kDefaultTenant || judge.state.FindTenant(tenant) != nullptr) return Registered::kYes;
  return judge.NoTenants() || judge.MemoryPreset() ? Registered::kUnsaid : Registered::kNo;
}

const Execution* VisibleExecution(const SpecState& state, const ExecutionId& id, const View& view) {
  const Execution* execution = state.FindExecution(id);
  return execution != nullptr && Sees(view, execution->born->tenant) ? execution : nullptr;
}

const Item* VisibleItem(const SpecState& state, const WorkItemId& id, const View& view) {
  const Item* item = state.FindItem(id);
  return item != nullptr && Sees(view, item->work->tenant_id) ? item : nullptr;
}

const Log* VisibleLog(const SpecState& state, const ExecutionId& id, const View& view) {
  const Execution* execution = state.FindExecution(id);
  if (execution != nullptr && !Sees(view, execution->born->tenant)) return nullptr;
  return state.FindLog(id);
}

Execution& Edit(SpecState& state, const Execution* row) { return EditRow(state.executions, row); }
Item& Edit(SpecState& state, const Item* row) { return EditRow(state.items, row); }
TokenRow& Edit(SpecState& state, const TokenRow* row) { return EditRow(state.tokens, row); }
TenantRow& Edit(SpecState& state, const TenantRow* row) { return EditRow(state.tenants, row); }

Log& EditLog(SpecState& state, const ExecutionId& id) {
  if (state.FindLog(id) == nullptr) {
    Log log;
    log.execution_id = id;
    PutRow(state.logs.Edit(), std::move(log), kIdOfLog);
  }
  return EditRow(state.logs, state.FindLog(id));
}

void Put(SpecState& state, Execution row) { PutRow(state.executions.Edit(), std::move(row), kIdOfExecution); }
void Put(SpecState& state, Item row) { PutRow(state.items.Edit(), std::move(row), kIdOfItem); }
void Put(SpecState& state, TenantRow row) { PutRow(state.tenants.Edit(), std::move(row), kIdOfTenant); }

Standing StandingOf(const Judge& judge, const ExecutionId& id, const View& view) {
  if (view.has_value() && IsRegistered(judge, *view) == Registered::kNo) return Standing::kUnregistered;
  const Execution* execution = judge.state.FindExecution(id);
  if (execution == nullptr) return judge.Accepts() ? Standing::kFine : Standing::kUnknown;
  return Sees(view, execution->born->tenant) ? Standing::kFine : Standing::kForeign;
}

}  // namespace spec_internal
}  // namespace leasecheck::state_backend
