// The formats of histories, and conversion between them.
//
//   absl::StatusOr<std::string> edn = ConvertHistory(text, "run.jsonl", HistoryFormat::kHistory, HistoryFormat::kEdn);
//
// The public formats are those that Porcupine's test data and the claim-queue histories are in (docs/HISTORIES.md). What one of
// them says of a call is kept in our history as it is:
//
//   etcd-log      INFO  jepsen.util - 2 :ok :read 4   {"index":9,"process":2,"type":"ok","f":"read","value":4}
//   porcupine-kv  {:process 0, :type :ok, :f :get,    {"index":1,"process":0,"type":"ok","f":"get","key":"3","value":"x"}
//                  :key "3", :value "x"}
//   claimq        {"c":1,"f":"claim","call":4,"ret":9,"item":1,"token":2,"out":"ok"}
//                   {"index":2,"time":4,"process":1,"type":"invoke","f":"claim","value":null}
//                   {"index":5,"time":9,"process":1,"type":"ok","f":"claim","value":{"item":1,"token":2}}
//                 `stale` is a fail with "error":":stale", `empty` an ok whose value is null. No answer is an info before the
//                 client's next call, which has the number of the client plus that of all clients, as in Jepsen. The file's
//                 header is the first event: an info of the process "header".
#ifndef LEASECHECK_PROPERTIES_ENGINE_HISTORY_FORMATS_H_
#define LEASECHECK_PROPERTIES_ENGINE_HISTORY_FORMATS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "properties/engine/history_file.h"

namespace leasecheck::engine {

enum class HistoryFormat { kHistory, kEdn, kEtcdLog, kPorcupineKv, kClaimq };

// history, edn, etcd-log, porcupine-kv, claimq.
absl::string_view NameOf(HistoryFormat format);
std::vector<std::string> HistoryFormatNames();
std::optional<HistoryFormat> HistoryFormatNamed(absl::string_view name);

// The format that the text looks like, by its first line that is not blank; none where it looks like none of them.
std::optional<HistoryFormat> GuessHistoryFormat(absl::string_view text);

// The events of a text in any format. The text is borrowed.
std::unique_ptr<HistoryReader> ReadHistory(HistoryFormat format, HistoryText source);
std::unique_ptr<HistoryWriter> WriteHistory(HistoryFormat format);

// InvalidArgument is one sentence that begins with file:line:column: what was expected and what was found, or why the other
// format cannot hold the event there. Between `history` and `edn` nothing is lost. A public format drops `index`, and `time`
// unless it is claimq; whatever else it has no place for is an error.
absl::StatusOr<std::string> ConvertHistory(absl::string_view text, absl::string_view file, HistoryFormat from, HistoryFormat to);

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_HISTORY_FORMATS_H_
