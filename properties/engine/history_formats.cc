#include "properties/engine/history_formats.h"

#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "properties/engine/history_public.h"

namespace leasecheck::engine {
namespace {

struct NamedFormat {
  HistoryFormat format;
  const char* name;
};
constexpr std::array<NamedFormat, 5> kFormats = {{{HistoryFormat::kHistory, "history"},
                                                  {HistoryFormat::kEdn, "edn"},
                                                  {HistoryFormat::kEtcdLog, "etcd-log"},
                                                  {HistoryFormat::kPorcupineKv, "porcupine-kv"},
                                                  {HistoryFormat::kClaimq, "claimq"}}};

absl::string_view FirstLine(absl::string_view text) {
  text = absl::StripLeadingAsciiWhitespace(text);
  return text.substr(0, text.find('\n'));
}

bool IsClaimqHeader(absl::string_view line) {
  const absl::StatusOr<codec::OrderedJson> json = codec::ParseOrderedJson(line, nullptr);
  if (!json.ok() || !json->is_object()) return false;
  const codec::OrderedJson* const format = MemberOf(*json, "format");
  return format != nullptr && *format == "claimq-1";
}

}  // namespace

absl::string_view NameOf(HistoryFormat format) {
  for (const NamedFormat& named : kFormats) {
    if (named.format == format) return named.name;
  }
  return "";
}

std::vector<std::string> HistoryFormatNames() {
  std::vector<std::string> names;
  for (const NamedFormat& named : kFormats) names.push_back(named.name);
  return names;
}

std::optional<HistoryFormat> HistoryFormatNamed(absl::string_view name) {
  for (const NamedFormat& named : kFormats) {
    if (name == named.name) return named.format;
  }
  return std::nullopt;
}

std::optional<HistoryFormat> GuessHistoryFormat(absl::string_view text) {
  const absl::string_view line = FirstLine(text);
  if (line.empty()) return std::nullopt;
  if (line.front() == '{') {
    const absl::string_view inside = absl::StripLeadingAsciiWhitespace(line.substr(1));
    if (absl::StartsWith(inside, "\"")) return IsClaimqHeader(line) ? HistoryFormat::kClaimq : HistoryFormat::kHistory;
    const bool kv = absl::StrContains(line, ":key \"") && !absl::StrContains(line, ":index");
    return kv ? HistoryFormat::kPorcupineKv : HistoryFormat::kEdn;
  }
  if (line.front() == '[' || line.front() == '(' || line.front() == ';' || absl::StartsWith(line, "#_")) {
    return HistoryFormat::kEdn;
  }
  const std::size_t event = text.find("INFO  jepsen.util - ");
  if (event == 0 || (event != absl::string_view::npos && text[event - 1] == '\n')) return HistoryFormat::kEtcdLog;
  return std::nullopt;
}

std::unique_ptr<HistoryReader> ReadHistory(HistoryFormat format, HistoryText source) {
  switch (format) {
    case HistoryFormat::kHistory:
      return ReadJsonLines(source);
    case HistoryFormat::kEdn:
      return ReadEdnHistory(source);
    case HistoryFormat::kEtcdLog:
      return ReadEtcdLogHistory(source);
    case HistoryFormat::kPorcupineKv:
      return ReadPorcupineKv(source);
    case HistoryFormat::kClaimq:
      return ReadClaimq(source);
  }
  return nullptr;
}

std::unique_ptr<HistoryWriter> WriteHistory(HistoryFormat format) {
  switch (format) {
    case HistoryFormat::kHistory:
      return WriteJsonLines();
    case HistoryFormat::kEdn:
      return WriteEdnHistory();
    case HistoryFormat::kEtcdLog:
      return WriteEtcdLog();
    case HistoryFormat::kPorcupineKv:
      return WritePorcupineKv();
    case HistoryFormat::kClaimq:
      return WriteClaimq();
  }
  return nullptr;
}

absl::StatusOr<std::string> ConvertHistory(absl::string_view text, absl::string_view file, HistoryFormat from, HistoryFormat to) {
  const std::unique_ptr<HistoryReader> reader = ReadHistory(from, HistoryText(text, file));
  const std::unique_ptr<HistoryWriter> writer = WriteHistory(to);
  while (true) {
    absl::StatusOr<std::optional<Event>> event = reader->Next();
    if (!event.ok()) return event.status();
    if (!event->has_value()) break;
    if (absl::Status status = writer->Write(**event); !status.ok()) return reader->ErrorHere(status.message());
  }
  absl::StatusOr<std::string> written = writer->Finish();
  if (!written.ok()) return reader->ErrorHere(written.status().message());
  return written;
}

}  // namespace leasecheck::engine
