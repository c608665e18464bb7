// The files that a user names.
#ifndef LEASECHECK_CLI_FILES_H_
#define LEASECHECK_CLI_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace leasecheck::cli {

// Each error is InvalidArgument: one sentence that names the file.
absl::StatusOr<std::string> ReadFile(const std::string& path);
absl::Status WriteFile(const std::string& path, absl::string_view text);
// Writes the whole text or nothing: into a new file beside it that then takes its name. What is no plain file (a pipe, a device)
// is written as it is.
absl::Status ReplaceFile(const std::string& path, absl::string_view text);
// What is left on stdin.
absl::StatusOr<std::string> ReadStdin();
// Whether WriteFile will work, asked before a long run. Makes an empty file where there is none.
absl::Status CheckWritable(const std::string& path);
// Makes a folder with its parents and makes sure that files can be made in it.
absl::Status MakeFolder(const std::string& path);

// A folder of this process' own, removed with what it holds.
class TemporaryFolder {
 public:
  static absl::StatusOr<TemporaryFolder> Make();
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace leasecheck::cli

#endif  // LEASECHECK_CLI_FILES_H_
