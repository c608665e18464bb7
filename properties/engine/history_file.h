// History files: what happened, one event a line, for other programs.
//
// Our own file is JSON Lines with the keys of Jepsen's histories:
//
//   {"index":0,"time":12,"process":3,"type":"invoke","f":"read","value":null}
//   {"index":1,"time":40,"process":3,"type":"ok","f":"read","value":7}
//
//   process   the number of a client, or a name, such as "nemesis", for what is done to the store from outside
//   type      invoke: a call begins; ok: it happened; fail: it did not, or the store refused; info: nobody knows, or no call at
//   all f         what was called value     the request of an invoke, the answer of the others; may be absent index     counts
//   up; may be absent time      nanoseconds, or ticks of any one clock; may be absent
//
// Other members (`error`, `key`) are kept. A numbered process has one call open at a time, and answers are to the open one.
// Strings follow history_edn.h: f, type and process are keywords there, ":x" as a value is one too.
//
// history_formats.h has the other formats. Nothing here knows a family.
#ifndef LEASECHECK_PROPERTIES_ENGINE_HISTORY_FILE_H_
#define LEASECHECK_PROPERTIES_ENGINE_HISTORY_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codec/ordered_json.h"

namespace leasecheck::engine {

// One event: its object, in the order in which its members were given.
using Event = codec::OrderedJson;

// The member of this name; null where there is none.
const codec::OrderedJson* MemberOf(const codec::OrderedJson& object, absl::string_view name);

// Whether the event's member of this name is a keyword in EDN: f, type, process.
bool IsNamedMember(absl::string_view name);

// Whether it is an event by itself. InvalidArgument says what was expected and what was found.
absl::Status CheckEvent(const Event& event);

// How events follow each other.
class EventOrder {
 public:
  // InvalidArgument as above: of CheckEvent, or the event cannot follow those that were added before it.
  absl::Status Add(const Event& event);

 private:
  absl::Status AddCall(const Event& event, uint64_t process);

  std::optional<uint64_t> last_index_;
  absl::flat_hash_map<uint64_t, std::string> open_;  // by process: the f of its open call
};

// A file's text, for messages that name a place in it. Both are borrowed.
class HistoryText {
 public:
  HistoryText(absl::string_view text, absl::string_view file) : text_(text), file_(file) {}
  absl::string_view text() const { return text_; }
  // InvalidArgument: "file:line:column: message", of the byte at `offset`; both count from 1.
  absl::Status Error(std::size_t offset, absl::string_view message) const;

  // Calls read(line, offset) for every line; stops at the first status that is not OK.
  template <class Read>
  absl::Status ForEachLine(Read&& read) const {
    for (std::size_t begin = 0; begin < text_.size();) {
      const std::size_t end = text_.find('\n', begin);
      const absl::string_view line = text_.substr(begin, end - begin);
      if (absl::Status status = read(line, begin); !status.ok()) return status;
      begin = end == absl::string_view::npos ? text_.size() : end + 1;
    }
    return absl::OkStatus();
  }

 private:
  absl::string_view text_;
  absl::string_view file_;
};

// Reads the events of a file. Made for one text, which is borrowed. Any input is safe.
class HistoryReader {
 public:
  virtual ~HistoryReader() = default;
  // The next event, checked by EventOrder; none at the end. InvalidArgument is one sentence that begins with file:line:column.
  absl::StatusOr<std::optional<Event>> Next();
  // The same for a reason that only the caller knows, at the last event.
  absl::Status ErrorHere(absl::string_view message) const { return source_.Error(offset(), message); }

 protected:
  explicit HistoryReader(HistoryText source) : source_(source) {}
  const HistoryText& source() const { return source_; }

 private:
  virtual absl::StatusOr<std::optional<Event>> Read() = 0;  // as Next, unchecked
  virtual std::size_t offset() const = 0;                   // where the last event begins

  HistoryText source_;
  EventOrder order_;
};

std::unique_ptr<HistoryReader> ReadJsonLines(HistoryText source);
// One map after the other, or all in one vector or list.
std::unique_ptr<HistoryReader> ReadEdnHistory(HistoryText source);

// Writes events in a format. InvalidArgument: the format cannot hold the event, and why.
class HistoryWriter {
 public:
  virtual ~HistoryWriter() = default;
  virtual absl::Status Write(const Event& event) = 0;
  // The whole text, once all events are written.
  virtual absl::StatusOr<std::string> Finish() = 0;
};

std::unique_ptr<HistoryWriter> WriteJsonLines();
std::unique_ptr<HistoryWriter> WriteEdnHistory();

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_HISTORY_FILE_H_
