// Runs a fuzz target without libFuzzer: `TARGET CORPUS_FOLDER MUTATIONS` runs every file of the folder and then that many
// mutations, always the same ones. An input that crashes the target is left in TARGET.input.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

std::vector<std::string> ReadCorpus(const char* folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return corpus;
}

// A few small changes of one input, or a splice of two.
class Mutator {
 public:
  Mutator(const std::vector<std::string>& corpus, uint64_t seed) : corpus_(corpus), random_(seed) {}

  std::string Make() {
    std::string text = corpus_[Below(corpus_.size())];
    if (Below(8) == 0) {
      const std::string& other = corpus_[Below(corpus_.size())];
      text = text.substr(0, Below(text.size() + 1)) + other.substr(Below(other.size() + 1));
    }
    for (std::size_t changes = 1 + Below(4); changes > 0; --changes) Change(&text);
    return text;
  }

 private:
  std::size_t Below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

  void Change(std::string* text) {
    static const std::vector<std::string> kTokens = {"{",
                                                     "}",
                                                     "[",
                                                     "]",
                                                     ",",
                                                     ":",
                                                     "\"",
                                                     "\n",
                                                     "null",
                                                     "true",
                                                     "-1",
                                                     "18446744073709551616",
                                                     "1e400",
                                                     "-0.0",
                                                     "\\ud800",
                                                     "\xff",
                                                     "\xc0\x80",
                                                     "\xef\xbb\xbf",
                                                     std::string(300, '['),
                                                     std::string(1, '\0')};
    const std::size_t at = Below(text->size() + 1);
    const std::size_t length = Below(std::min<std::size_t>(text->size() - at, 12) + 1);
    switch (Below(4)) {
      case 0:
        text->insert(at, kTokens[Below(kTokens.size())]);
        return;
      case 1:
        text->erase(at, length);
        return;
      case 2:
        text->insert(at, text->substr(at, length));
        return;
      default:
        if (at < text->size()) (*text)[at] = static_cast<char>(random_());
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937_64 random_;
};

// Runs inputs, each of which lies in a file while it runs, for whoever has to look at a crash.
class Runner {
 public:
  explicit Runner(std::string file) : file_(std::move(file)), fd_(open(file_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666)) {}
  ~Runner() {
    close(fd_);
    std::remove(file_.c_str());
  }
  void Run(const std::string& input) {
    const bool kept = ftruncate(fd_, 0) == 0 && pwrite(fd_, input.data(), input.size(), 0) >= 0;
    if (!kept) std::fprintf(stderr, "cannot write %s\n", file_.c_str());
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  }

 private:
  const std::string file_;
  const int fd_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER MUTATIONS\n", argv[0]);
    return 64;
  }
  const std::vector<std::string> corpus = ReadCorpus(argv[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "no input in %s\n", argv[1]);
    return 64;
  }
  Runner runner(std::string(argv[0]) + ".input");
  for (const std::string& input : corpus) runner.Run(input);
  const int mutations = std::atoi(argv[2]);
  for (int i = 0; i < mutations; ++i) runner.Run(Mutator(corpus, static_cast<uint64_t>(i)).Make());
  std::printf("%zu inputs and %d mutations\n", corpus.size(), mutations);
  return 0;
}
