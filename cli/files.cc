#include "cli/files.h"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace leasecheck::cli {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", path, ": it is a folder"));
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  return text.str();
}

absl::Status WriteFile(const std::string& path, absl::string_view text) {
  errno = 0;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) return absl::InvalidArgumentError(absl::StrCat("cannot write ", path, ": ", std::strerror(errno)));
  return absl::OkStatus();
}

absl::Status ReplaceFile(const std::string& path, absl::string_view text) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);  // of what a link leads to
  if (fs::is_directory(status)) return absl::InvalidArgumentError(absl::StrCat("cannot write ", path, ": it is a folder"));
  const bool exists = fs::exists(status);
  if (exists && !fs::is_regular_file(status)) return WriteFile(path, text);
  const fs::path target = exists ? fs::canonical(path, error) : fs::path(path);
  const auto cannot = [&](const std::string& why) {
    return absl::InvalidArgumentError(absl::StrCat("cannot write ", path, ": ", why));
  };
  if (error && exists) return cannot(error.message());
  if (exists && ::access(target.c_str(), W_OK) != 0) return cannot(std::strerror(errno));
  const std::string fresh = absl::StrCat(target.string(), ".", ::getpid(), ".tmp");
  if (!WriteFile(fresh, text).ok()) {
    const std::string why = std::strerror(errno);
    fs::remove(fresh, error);
    return cannot(why);
  }
  if (exists) fs::permissions(fresh, status.permissions(), error);
  fs::rename(fresh, target, error);
  if (!error) return absl::OkStatus();
  const std::string why = error.message();
  fs::remove(fresh, error);
  return cannot(why);
}

absl::StatusOr<std::string> ReadStdin() {
  std::ostringstream text;
  text << std::cin.rdbuf();
  if (std::cin.bad()) return absl::InvalidArgumentError("cannot read stdin");
  return text.str();
}

absl::Status CheckWritable(const std::string& path) {
  errno = 0;
  const std::ofstream out(path, std::ios::binary | std::ios::app);
  if (!out) return absl::InvalidArgumentError(absl::StrCat("cannot write ", path, ": ", std::strerror(errno)));
  return absl::OkStatus();
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return absl::InvalidArgumentError(absl::StrCat("cannot make the folder ", path, ": ", error.message()));
  if (::access(path.c_str(), W_OK | X_OK) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot write into the folder ", path, ": ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::StatusOr<TemporaryFolder> TemporaryFolder::Make() {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  std::string path = (error ? std::filesystem::path("/tmp") : parent) / "leasecheck-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("cannot make a temporary folder ", path, ": ", std::strerror(errno)));
  }
  return TemporaryFolder(std::move(path));
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  if (!path_.empty()) std::filesystem::remove_all(path_, error);
}

}  // namespace leasecheck::cli
