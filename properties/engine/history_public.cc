#include "properties/engine/history_public.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "properties/engine/history_edn.h"

namespace leasecheck::engine {
namespace {

using codec::OrderedJson;

// An event is refused by a format.
absl::Status Cannot(absl::string_view format, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("this event cannot be written as ", format, ": ", why));
}

absl::Status OnlyMembers(const OrderedJson& object, absl::string_view format, const std::vector<absl::string_view>& known) {
  for (const auto& [name, value] : object.get_ref<const OrderedJson::object_t&>()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return Cannot(format, absl::StrCat("it has no place for \"", name, "\""));
    }
  }
  return absl::OkStatus();
}

std::string TextOf(const OrderedJson* value) { return value != nullptr && value->is_string() ? value->get<std::string>() : ""; }

const OrderedJson& ValueOf(const Event& event) {
  static const OrderedJson null;
  const OrderedJson* const value = MemberOf(event, "value");
  return value == nullptr ? null : *value;
}

// etcd-log ----------------------------------------------------------------------------------------------------------------------

constexpr std::array<absl::string_view, 4> kTypes = {":invoke", ":ok", ":fail", ":info"};

// Takes a word and the spaces before it.
absl::string_view TakeWord(absl::string_view* line) {
  *line = absl::StripLeadingAsciiWhitespace(*line);
  const absl::string_view word = line->substr(0, line->find_first_of(" \t\r\n"));
  line->remove_prefix(word.size());
  return word;
}

class EtcdLogReader final : public HistoryReader {
 public:
  explicit EtcdLogReader(HistoryText text) : HistoryReader(text) {}

 private:
  absl::StatusOr<std::optional<Event>> Read() override {
    const absl::string_view text = source().text();
    while (next_ < text.size()) {
      begin_ = next_;
      const std::size_t end = std::min(text.find('\n', begin_), text.size());
      next_ = end + 1;
      absl::string_view rest = text.substr(begin_, end - begin_);
      if (TakeWord(&rest) != "INFO" || TakeWord(&rest) != "jepsen.util" || TakeWord(&rest) != "-") continue;
      uint64_t process = 0;
      if (!absl::SimpleAtoi(TakeWord(&rest), &process)) continue;
      const absl::string_view type = TakeWord(&rest);
      if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) continue;
      return ReadCall(process, type.substr(1), rest, end);
    }
    return std::nullopt;
  }

  absl::StatusOr<std::optional<Event>> ReadCall(uint64_t process, absl::string_view type, absl::string_view rest,
                                                std::size_t end) {
    const absl::string_view f = TakeWord(&rest);
    const std::size_t begin = end - rest.size();
    if (!absl::StartsWith(f, ":") || !IsKeywordName(f.substr(1))) {
      return source().Error(begin - f.size(), "expected what was called, such as :read");
    }
    EdnReader edn(rest);
    absl::StatusOr<std::optional<OrderedJson>> value = edn.Next();
    if (!value.ok()) return source().Error(begin + edn.offset(), value.status().message());
    if (!value->has_value()) return source().Error(end, "expected the call's value, found the end of the line");
    absl::StatusOr<std::optional<OrderedJson>> more = edn.Next();
    if (!more.ok() || more->has_value()) return source().Error(begin + edn.offset(), "expected one value and nothing after it");
    return Event{{"index", index_++},
                 {"process", process},
                 {"type", std::string(type)},
                 {"f", std::string(f.substr(1))},
                 {"value", **std::move(value)}};
  }
  std::size_t offset() const override { return begin_; }

  std::size_t begin_ = 0;
  std::size_t next_ = 0;
  uint64_t index_ = 0;
};

class EtcdLogWriter final : public HistoryWriter {
 public:
  absl::Status Write(const Event& event) override {
    if (absl::Status status = OnlyMembers(event, "etcd-log", {"index", "time", "process", "type", "f", "value"}); !status.ok()) {
      return status;
    }
    const OrderedJson& process = *MemberOf(event, "process");
    const std::string f = TextOf(MemberOf(event, "f"));
    if (!process.is_number_unsigned()) return Cannot("etcd-log", "its processes are numbers");
    if (!IsKeywordName(f)) return Cannot("etcd-log", "what was called is no keyword");
    absl::StrAppend(&text_, "INFO  jepsen.util - ", process.get<uint64_t>(), "\t:", TextOf(MemberOf(event, "type")), "\t:", f,
                    "\t");
    absl::Status status = AppendEdn(ValueOf(event), EdnPlace::kValue, &text_);
    text_.push_back('\n');
    return status;
  }
  absl::StatusOr<std::string> Finish() override { return std::move(text_); }

 private:
  std::string text_;
};

// porcupine-kv ------------------------------------------------------------------------------------------------------------------

// Why the event is none of this format; "" where it is one.
std::string KvFault(const Event& event) {
  const std::string type = TextOf(MemberOf(event, "type"));
  const std::string f = TextOf(MemberOf(event, "f"));
  const OrderedJson* const key = MemberOf(event, "key");
  if (!MemberOf(event, "process")->is_number_unsigned()) return "expected a numbered process";
  if (type != "invoke" && type != "ok") return absl::StrCat("expected the type invoke or ok, found ", type);
  if (f != "get" && f != "put" && f != "append") return "expected f to be get, put or append";
  if (key == nullptr || !key->is_string()) return "expected the key, a string";
  if (!ValueOf(event).is_string() && !ValueOf(event).is_null()) return "expected the value, a string or nil";
  for (const OrderedJson* text : {key, &ValueOf(event)}) {
    // A keyword begins with a colon in JSON, and a string that does not mean itself with '~'.
    std::string edn;
    if (!text->is_null() && (!AppendEdn(*text, EdnPlace::kValue, &edn).ok() || edn.front() != '"')) {
      return "expected a string, found a keyword";
    }
  }
  return "";
}

class PorcupineKvReader final : public HistoryReader {
 public:
  explicit PorcupineKvReader(HistoryText text) : HistoryReader(text), reader_(text.text(), IsNamedMember) {}

 private:
  absl::StatusOr<std::optional<Event>> Read() override {
    absl::StatusOr<std::optional<Event>> event = reader_.Next();
    if (!event.ok()) return source().Error(reader_.offset(), event.status().message());
    if (!event->has_value()) return std::nullopt;
    // The base class says what is wrong with an event that is none in any format.
    if (!CheckEvent(**event).ok()) return event;
    const std::string fault = KvFault(**event);
    if (!fault.empty()) return source().Error(reader_.offset(), fault);
    for (const auto& [name, value] : (*event)->get_ref<const OrderedJson::object_t&>()) {
      if (!IsNamedMember(name) && name != "key" && name != "value") {
        return source().Error(reader_.offset(),
                              absl::StrCat("expected the members process, type, f, key and value, found ", name.substr(0, 40)));
      }
    }
    return Event{{"index", index_++},
                 {"process", *MemberOf(**event, "process")},
                 {"type", *MemberOf(**event, "type")},
                 {"f", *MemberOf(**event, "f")},
                 {"key", *MemberOf(**event, "key")},
                 {"value", ValueOf(**event)}};
  }
  std::size_t offset() const override { return reader_.offset(); }

  EdnReader reader_;
  uint64_t index_ = 0;
};

class PorcupineKvWriter final : public HistoryWriter {
 public:
  absl::Status Write(const Event& event) override {
    if (absl::Status status = OnlyMembers(event, "porcupine-kv", {"index", "time", "process", "type", "f", "key", "value"});
        !status.ok()) {
      return status;
    }
    const std::string fault = KvFault(event);
    if (!fault.empty()) return Cannot("porcupine-kv", fault);
    absl::StrAppend(&text_, "{:process ", MemberOf(event, "process")->get<uint64_t>(),
                    ", :type :", TextOf(MemberOf(event, "type")), ", :f :", TextOf(MemberOf(event, "f")), ", :key ");
    AppendEdn(*MemberOf(event, "key"), EdnPlace::kValue, &text_).IgnoreError();  // a string
    text_.append(", :value ");
    AppendEdn(ValueOf(event), EdnPlace::kValue, &text_).IgnoreError();
    text_.append("}\n");
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> Finish() override { return std::move(text_); }

 private:
  std::string text_;
};

// claimq ------------------------------------------------------------------------------------------------------------------------

constexpr uint64_t kNoInstant = std::numeric_limits<uint64_t>::max();
constexpr std::array<absl::string_view, 6> kClaimqOperations = {"enqueue", "claim", "renew", "complete", "abandon", "expire"};

// A line of the file.
struct ClaimqCall {
  uint64_t client = 0;
  std::string f;
  uint64_t call = 0;
  std::optional<uint64_t> ret, item, token;
  std::string out;  // "" where there was no answer
  std::size_t offset = 0;
};

bool TakesItem(absl::string_view f) { return f != "claim"; }
bool TakesToken(absl::string_view f) { return f != "claim" && f != "enqueue"; }

// What is wrong with a call; "" where nothing is.
std::string ClaimqFault(const ClaimqCall& call) {
  const bool claimed = call.f == "claim" && call.out == "ok";
  if (std::find(kClaimqOperations.begin(), kClaimqOperations.end(), call.f) == kClaimqOperations.end()) {
    return absl::StrCat("expected f to be one of ", absl::StrJoin(kClaimqOperations, ", "));
  }
  if (call.ret.has_value() != !call.out.empty()) return "expected both of ret and out, or none";
  if (call.ret && *call.ret <= call.call) return "expected ret after call";
  const bool known = call.out.empty() || call.out == "ok" ||
                     (call.f == "claim" ? call.out == "empty" : TakesToken(call.f) && call.out == "stale");
  if (!known) return absl::StrCat("expected another out than ", call.out, " of ", call.f);
  if (call.item.has_value() != (TakesItem(call.f) || claimed)) return call.item ? "expected no item" : "expected an item";
  if (call.token.has_value() != (TakesToken(call.f) || claimed)) return call.token ? "expected no token" : "expected a token";
  return "";
}

OrderedJson ItemAndToken(const ClaimqCall& call) {
  OrderedJson value = OrderedJson::object();
  if (call.item) value["item"] = *call.item;
  if (call.token) value["token"] = *call.token;
  return value;
}

class ClaimqReader final : public HistoryReader {
 public:
  explicit ClaimqReader(HistoryText text) : HistoryReader(text) {}

 private:
  static constexpr absl::string_view kNoHeader =
      "expected the header, an object with \"format\":\"claimq-1\" and the number of \"clients\"";

  struct Placed {
    uint64_t instant = 0;
    int order = 0;  // among those of one instant
    std::size_t offset = 0;
    Event event;
  };

  absl::StatusOr<std::optional<Event>> Read() override {
    if (!read_) {
      read_ = true;
      if (absl::Status status = ReadAll(); !status.ok()) return status;
    }
    if (next_ == events_.size()) return std::nullopt;
    Placed& placed = events_[next_++];
    offset_ = placed.offset;
    Event event = {{"index", uint64_t{next_ - 1}}};
    for (auto& [name, value] : placed.event.get_ref<OrderedJson::object_t&>()) {
      event.get_ref<OrderedJson::object_t&>().emplace_back(name, std::move(value));
    }
    return event;
  }
  std::size_t offset() const override { return offset_; }

  absl::Status ReadAll() {
    bool header = true;
    std::vector<ClaimqCall> calls;
    absl::Status status = source().ForEachLine([&](absl::string_view line, std::size_t offset) {
      if (absl::StripAsciiWhitespace(line).empty()) return absl::OkStatus();
      std::size_t bad_byte = 0;
      absl::StatusOr<OrderedJson> json = codec::ParseOrderedJson(line, &bad_byte);
      if (!json.ok()) return source().Error(offset + bad_byte, absl::StrCat("expected an object: ", json.status().message()));
      if (!json->is_object()) return source().Error(offset, "expected an object");
      if (std::exchange(header, false)) return ReadHeader(*std::move(json), offset);
      std::string fault = ReadCall(*json, offset, &calls.emplace_back());
      return fault.empty() ? absl::OkStatus() : source().Error(offset, fault);
    });
    if (!status.ok()) return status;
    if (header) return source().Error(0, kNoHeader);
    std::stable_sort(calls.begin(), calls.end(), [](const ClaimqCall& a, const ClaimqCall& b) { return a.call < b.call; });
    absl::flat_hash_set<uint64_t> instants;
    for (const ClaimqCall& call : calls) {
      const bool distinct = instants.insert(call.call).second && (!call.ret || instants.insert(*call.ret).second);
      if (!distinct) return source().Error(call.offset, "expected an instant that no other call or ret has");
      AddCall(call);
    }
    for (const auto& [client, call] : unanswered_) AddUnanswered(call, kNoInstant);
    std::stable_sort(events_.begin(), events_.end(), [](const Placed& a, const Placed& b) {
      return std::pair(a.instant, a.order) < std::pair(b.instant, b.order);
    });
    return absl::OkStatus();
  }

  absl::Status ReadHeader(OrderedJson header, std::size_t offset) {
    const OrderedJson* const clients = MemberOf(header, "clients");
    if (TextOf(MemberOf(header, "format")) != "claimq-1" || clients == nullptr || !clients->is_number_unsigned() ||
        *clients == 0) {
      return source().Error(offset, kNoHeader);
    }
    clients_ = clients->get<uint64_t>();
    events_.push_back({0, 0, offset, {{"process", "header"}, {"type", "info"}, {"f", "claimq"}, {"value", std::move(header)}}});
    return absl::OkStatus();
  }

  // What is wrong with the line; "" where nothing is.
  std::string ReadCall(const OrderedJson& line, std::size_t offset, ClaimqCall* call) const {
    bool has_client = false;
    bool has_call = false;
    for (const auto& [name, value] : line.get_ref<const OrderedJson::object_t&>()) {
      if (name == "f" || name == "out") {
        if (!value.is_string() || value.get_ref<const std::string&>().empty()) return absl::StrCat("expected ", name, ", a word");
        (name == "f" ? call->f : call->out) = value.get<std::string>();
        continue;
      }
      if (!value.is_number_unsigned()) return absl::StrCat("expected ", name, " to be a number from 0 on");
      const uint64_t number = value.get<uint64_t>();
      if (name == "c") {
        call->client = number;
        has_client = true;
      } else if (name == "call") {
        call->call = number;
        has_call = true;
      } else if (name == "ret" || name == "item" || name == "token") {
        (name == "ret" ? call->ret : name == "item" ? call->item : call->token) = number;
      } else {
        return absl::StrCat("expected c, f, call, ret, item, token or out, found \"", name, "\"");
      }
    }
    call->offset = offset;
    if (!has_client || call->client >= clients_) return "expected c, a client of those that the header counts";
    if (!has_call) return "expected call, an instant";
    return ClaimqFault(*call);
  }

  void AddCall(const ClaimqCall& call) {
    if (const auto it = unanswered_.find(call.client); it != unanswered_.end()) {
      AddUnanswered(it->second, call.call);
      unanswered_.erase(it);
      ++retired_[call.client];
    }
    const OrderedJson request = TakesItem(call.f) ? ItemAndToken(call) : OrderedJson(nullptr);
    Event event = {{"time", call.call}, {"process", Process(call)}, {"type", "invoke"}, {"f", call.f}, {"value", request}};
    events_.push_back({call.call, 1, call.offset, event});
    if (!call.ret) {
      unanswered_[call.client] = call;
      return;
    }
    event["time"] = *call.ret;
    event["type"] = call.out == "stale" ? "fail" : "ok";
    event["value"] = call.out == "empty" ? OrderedJson(nullptr) : ItemAndToken(call);
    if (call.out == "stale") event["error"] = ":stale";
    events_.push_back({*call.ret, 0, call.offset, std::move(event)});
  }

  // Nobody knows when it ended, so this event has no time.
  void AddUnanswered(const ClaimqCall& call, uint64_t before) {
    const OrderedJson request = TakesItem(call.f) ? ItemAndToken(call) : OrderedJson(nullptr);
    Event event = {{"process", Process(call)}, {"type", "info"}, {"f", call.f}, {"value", request}};
    events_.push_back({before, 0, call.offset, std::move(event)});
  }

  uint64_t Process(const ClaimqCall& call) const {
    const auto it = retired_.find(call.client);
    return call.client + clients_ * (it == retired_.end() ? 0 : it->second);
  }

  bool read_ = false;
  uint64_t clients_ = 0;
  std::vector<Placed> events_;
  std::size_t next_ = 0;
  std::size_t offset_ = 0;
  std::map<uint64_t, ClaimqCall> unanswered_;        // by client
  absl::flat_hash_map<uint64_t, uint64_t> retired_;  // by client: its processes whose call stayed open
};

class ClaimqWriter final : public HistoryWriter {
 public:
  absl::Status Write(const Event& event) override {
    if (!has_header_) return WriteHeader(event);
    if (absl::Status status = OnlyMembers(event, "claimq", {"index", "time", "process", "type", "f", "value", "error"});
        !status.ok()) {
      return status;
    }
    const OrderedJson& process = *MemberOf(event, "process");
    if (!process.is_number_unsigned()) return Cannot("claimq", "its processes are numbers");
    const std::string type = TextOf(MemberOf(event, "type"));
    if (type == "invoke") return Invoke(event, process.get<uint64_t>());
    if (!open_.contains(process.get<uint64_t>())) return Cannot("claimq", "it is no answer to a call");
    ClaimqCall& call = calls_[open_[process.get<uint64_t>()]];
    open_.erase(process.get<uint64_t>());
    return type == "info" ? absl::OkStatus() : Answer(event, type, &call);
  }

  absl::StatusOr<std::string> Finish() override {
    if (!has_header_) return Cannot("claimq", "its first event is the header");
    std::stable_sort(calls_.begin(), calls_.end(), [](const ClaimqCall& a, const ClaimqCall& b) { return a.call < b.call; });
    for (const ClaimqCall& call : calls_) {
      Event line = {{"c", call.client}, {"f", call.f}, {"call", call.call}};
      if (call.ret) line["ret"] = *call.ret;
      if (call.item) line["item"] = *call.item;
      if (call.token) line["token"] = *call.token;
      if (call.ret) line["out"] = call.out;
      absl::StrAppend(&text_, codec::DumpOrderedJson(line), "\n");
    }
    return std::move(text_);
  }

 private:
  absl::Status WriteHeader(const Event& event) {
    const OrderedJson& header = ValueOf(event);
    const OrderedJson* const clients = header.is_object() ? MemberOf(header, "clients") : nullptr;
    const bool is_header = TextOf(MemberOf(event, "f")) == "claimq" && TextOf(MemberOf(event, "process")) == "header" &&
                           clients != nullptr && clients->is_number_unsigned() && *clients != 0;
    if (!is_header) {
      return Cannot("claimq",
                    "its first event is the header, an info of the process \"header\" with f \"claimq\" and the clients");
    }
    has_header_ = true;
    clients_ = clients->get<uint64_t>();
    text_ = codec::DumpOrderedJson(header) + "\n";
    return absl::OkStatus();
  }

  static bool ReadTime(const Event& event, uint64_t* time) {
    const OrderedJson* const found = MemberOf(event, "time");
    if (found == nullptr || !found->is_number_unsigned()) return false;
    *time = found->get<uint64_t>();
    return true;
  }

  // Whether the value is an object of an item and a token, each a number, or null.
  static bool ReadValue(const OrderedJson& value, ClaimqCall* call) {
    if (value.is_null()) return true;
    if (!value.is_object()) return false;
    for (const auto& [name, number] : value.get_ref<const OrderedJson::object_t&>()) {
      if ((name != "item" && name != "token") || !number.is_number_unsigned()) return false;
      (name == "item" ? call->item : call->token) = number.get<uint64_t>();
    }
    return true;
  }

  absl::Status Invoke(const Event& event, uint64_t process) {
    ClaimqCall call;
    call.client = process % clients_;
    call.f = TextOf(MemberOf(event, "f"));
    if (!ReadTime(event, &call.call)) return Cannot("claimq", "it has no time, an instant from 0 on");
    if (!ReadValue(ValueOf(event), &call)) return Cannot("claimq", "its value is no item and token");
    if (std::string fault = ClaimqFault(call); !fault.empty()) return Cannot("claimq", fault);
    open_[process] = calls_.size();
    calls_.push_back(std::move(call));
    return absl::OkStatus();
  }

  absl::Status Answer(const Event& event, absl::string_view type, ClaimqCall* call) {
    uint64_t ret = 0;
    ClaimqCall answered = *call;
    if (!ReadTime(event, &ret)) return Cannot("claimq", "it has no time, an instant from 0 on");
    if (!ReadValue(ValueOf(event), &answered)) return Cannot("claimq", "its value is no item and token");
    const std::string error = TextOf(MemberOf(event, "error"));
    if (error != (type == "fail" ? ":stale" : ""))
      return Cannot("claimq", "a fail has the error :stale, and nothing else has one");
    answered.ret = ret;
    answered.out = type == "fail" ? "stale" : call->f == "claim" && ValueOf(event).is_null() ? "empty" : "ok";
    if (call->item && (answered.item != call->item || answered.token != call->token)) {
      return Cannot("claimq", "the answer is of another item or token than the call");
    }
    if (std::string fault = ClaimqFault(answered); !fault.empty()) return Cannot("claimq", fault);
    *call = std::move(answered);
    return absl::OkStatus();
  }

  bool has_header_ = false;
  uint64_t clients_ = 0;
  std::string text_;
  std::vector<ClaimqCall> calls_;
  absl::flat_hash_map<uint64_t, std::size_t> open_;  // by process: its open call
};

}  // namespace

std::unique_ptr<HistoryReader> ReadEtcdLogHistory(HistoryText source) { return std::make_unique<EtcdLogReader>(source); }
std::unique_ptr<HistoryReader> ReadPorcupineKv(HistoryText source) { return std::make_unique<PorcupineKvReader>(source); }
std::unique_ptr<HistoryReader> ReadClaimq(HistoryText source) { return std::make_unique<ClaimqReader>(source); }
std::unique_ptr<HistoryWriter> WriteEtcdLog() { return std::make_unique<EtcdLogWriter>(); }
std::unique_ptr<HistoryWriter> WritePorcupineKv() { return std::make_unique<PorcupineKvWriter>(); }
std::unique_ptr<HistoryWriter> WriteClaimq() { return std::make_unique<ClaimqWriter>(); }

}  // namespace leasecheck::engine
