#include "properties/engine/history_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "properties/engine/history_edn.h"

namespace leasecheck::engine {
namespace {

using codec::OrderedJson;

// A short form of a value for a message.
std::string Shown(const OrderedJson* value) {
  if (value == nullptr) return "none";
  std::string text = codec::DumpOrderedJson(*value);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

absl::Status Expected(absl::string_view member, absl::string_view what, const OrderedJson* found) {
  return absl::InvalidArgumentError(absl::StrCat("expected \"", member, "\" to be ", what, ", found ", Shown(found)));
}

class JsonLinesReader final : public HistoryReader {
 public:
  explicit JsonLinesReader(HistoryText text) : HistoryReader(text) {}

 private:
  absl::StatusOr<std::optional<Event>> Read() override {
    const absl::string_view text = source().text();
    while (next_ < text.size()) {
      begin_ = next_;
      const std::size_t end = std::min(text.find('\n', begin_), text.size());
      next_ = end + 1;
      const absl::string_view line = text.substr(begin_, end - begin_);
      if (absl::StripAsciiWhitespace(line).empty()) continue;
      std::size_t bad_byte = 0;
      absl::StatusOr<OrderedJson> event = codec::ParseOrderedJson(line, &bad_byte);
      if (!event.ok()) {
        return source().Error(begin_ + bad_byte, absl::StrCat("expected an event in JSON: ", event.status().message()));
      }
      return *std::move(event);
    }
    return std::nullopt;
  }
  std::size_t offset() const override { return begin_; }

  std::size_t begin_ = 0;
  std::size_t next_ = 0;
};

class EdnHistoryReader final : public HistoryReader {
 public:
  explicit EdnHistoryReader(HistoryText text) : HistoryReader(text), reader_(text.text(), IsNamedMember) {}

 private:
  absl::StatusOr<std::optional<Event>> Read() override {
    if (first_) {
      first_ = false;
      if (absl::Status opened = reader_.OpenSequence().status(); !opened.ok()) {
        return source().Error(reader_.offset(), opened.message());
      }
    }
    absl::StatusOr<std::optional<Event>> event = reader_.Next();
    if (!event.ok()) return source().Error(reader_.offset(), event.status().message());
    return event;
  }
  std::size_t offset() const override { return reader_.offset(); }

  bool first_ = true;
  EdnReader reader_;
};

class JsonLinesWriter final : public HistoryWriter {
 public:
  absl::Status Write(const Event& event) override {
    absl::StrAppend(&text_, codec::DumpOrderedJson(event), "\n");
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> Finish() override { return std::move(text_); }

 private:
  std::string text_;
};

class EdnHistoryWriter final : public HistoryWriter {
 public:
  absl::Status Write(const Event& event) override {
    absl::Status status = AppendEdnMap(event, IsNamedMember, &text_);
    text_.push_back('\n');
    return status;
  }
  absl::StatusOr<std::string> Finish() override { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

const OrderedJson* MemberOf(const OrderedJson& object, absl::string_view name) {
  for (const auto& [key, value] : object.get_ref<const OrderedJson::object_t&>()) {
    if (name == key) return &value;
  }
  return nullptr;
}

bool IsNamedMember(absl::string_view name) { return name == "f" || name == "type" || name == "process"; }

absl::Status CheckEvent(const Event& event) {
  if (!event.is_object()) return absl::InvalidArgumentError(absl::StrCat("expected an event, a map, found ", Shown(&event)));
  const OrderedJson* const type = MemberOf(event, "type");
  const OrderedJson* const process = MemberOf(event, "process");
  const OrderedJson* const index = MemberOf(event, "index");
  const OrderedJson* const time = MemberOf(event, "time");
  const std::string word = type != nullptr && type->is_string() ? type->get<std::string>() : "";
  if (word != "invoke" && word != "ok" && word != "fail" && word != "info") {
    return Expected("type", "invoke, ok, fail or info", type);
  }
  if (process == nullptr || !(process->is_number_unsigned() || process->is_string())) {
    return Expected("process", "a client's number or a name", process);
  }
  if (MemberOf(event, "f") == nullptr) return Expected("f", "what was called", nullptr);
  if (time != nullptr && !time->is_number_integer()) return Expected("time", "an integer", time);
  if (index != nullptr && !index->is_number_unsigned()) return Expected("index", "an integer from 0 on", index);
  return absl::OkStatus();
}

absl::Status EventOrder::Add(const Event& event) {
  if (absl::Status status = CheckEvent(event); !status.ok()) return status;
  if (const OrderedJson* const index = MemberOf(event, "index"); index != nullptr) {
    if (last_index_ && index->get<uint64_t>() <= *last_index_) {
      return Expected("index", absl::StrCat("greater than ", *last_index_, ", the one before it"), index);
    }
    last_index_ = index->get<uint64_t>();
  }
  const OrderedJson& process = *MemberOf(event, "process");
  return process.is_number_unsigned() ? AddCall(event, process.get<uint64_t>()) : absl::OkStatus();
}

absl::Status EventOrder::AddCall(const Event& event, uint64_t process) {
  const OrderedJson& f = *MemberOf(event, "f");
  const OrderedJson& type = *MemberOf(event, "type");
  const std::string called = codec::DumpOrderedJson(f);
  const auto open = open_.find(process);
  if (type == "invoke") {
    if (open == open_.end()) {
      open_[process] = called;
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        absl::StrCat("expected an answer to the open call ", open->second, " of process ", process, ", found an invoke"));
  }
  if (open == open_.end()) {
    if (type == "info") return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("expected an invoke of process ", process, ", found an answer to no call"));
  }
  if (open->second != called) return Expected("f", absl::StrCat(open->second, ", the open call of process ", process), &f);
  open_.erase(open);
  return absl::OkStatus();
}

absl::Status HistoryText::Error(std::size_t offset, absl::string_view message) const {
  const absl::string_view before = text_.substr(0, offset);
  const std::size_t line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = newline == absl::string_view::npos ? before.size() + 1 : before.size() - newline;
  return absl::InvalidArgumentError(absl::StrCat(file_, ":", line, ":", column, ": ", message));
}

absl::StatusOr<std::optional<Event>> HistoryReader::Next() {
  absl::StatusOr<std::optional<Event>> event = Read();
  if (!event.ok() || !event->has_value()) return event;
  if (absl::Status status = order_.Add(**event); !status.ok()) return ErrorHere(status.message());
  return event;
}

std::unique_ptr<HistoryReader> ReadJsonLines(HistoryText source) { return std::make_unique<JsonLinesReader>(source); }
std::unique_ptr<HistoryReader> ReadEdnHistory(HistoryText source) { return std::make_unique<EdnHistoryReader>(source); }
std::unique_ptr<HistoryWriter> WriteJsonLines() { return std::make_unique<JsonLinesWriter>(); }
std::unique_ptr<HistoryWriter> WriteEdnHistory() { return std::make_unique<EdnHistoryWriter>(); }

}  // namespace leasecheck::engine
