// Readers and writers of the public formats (history_formats.h).
#ifndef LEASECHECK_PROPERTIES_ENGINE_HISTORY_PUBLIC_H_
#define LEASECHECK_PROPERTIES_ENGINE_HISTORY_PUBLIC_H_

#include <memory>

#include "properties/engine/history_file.h"

namespace leasecheck::engine {

std::unique_ptr<HistoryReader> ReadEtcdLogHistory(HistoryText source);
std::unique_ptr<HistoryReader> ReadPorcupineKv(HistoryText source);
std::unique_ptr<HistoryReader> ReadClaimq(HistoryText source);
std::unique_ptr<HistoryWriter> WriteEtcdLog();
std::unique_ptr<HistoryWriter> WritePorcupineKv();
std::unique_ptr<HistoryWriter> WriteClaimq();

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_HISTORY_PUBLIC_H_
