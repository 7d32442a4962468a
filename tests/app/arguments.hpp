// A command line for tests: an argv that can be written to, and what became of it.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "app/options.hpp"

namespace peersock::app::testing {

class Arguments {
 public:
  explicit Arguments(const std::vector<std::string>& words) : words_(words) {
    words_.insert(words_.begin(), "peersock");
    for (std::string& word : words_) argv_.push_back(word.data());
    argv_.push_back(nullptr);
  }
  [[nodiscard]] Result<CommandLine> parse() {
    return parse_command_line(static_cast<int>(words_.size()), argv_.data());
  }
  /// As `ps` would show them now.
  [[nodiscard]] std::string shown() const {
    std::string line;
    for (const std::string& word : words_) line += (line.empty() ? "" : " ") + word;
    return line;
  }

 private:
  std::vector<std::string> words_;
  std::vector<char*> argv_;
};

/// The options of a command line that is right.
[[nodiscard]] inline Options options_of(const std::vector<std::string>& words) {
  auto parsed = Arguments(words).parse();
  if (!parsed) {
    ADD_FAILURE() << parsed.error().message;
    return {};
  }
  return std::move(std::get<Options>(*parsed));
}

/// The sentence for a command line that is wrong.
[[nodiscard]] inline std::string error_of(const std::vector<std::string>& words) {
  const auto parsed = Arguments(words).parse();
  if (parsed) return "no error";
  EXPECT_EQ(parsed.error().kind, ErrorKind::kUsage);
  return parsed.error().message;
}

}  // namespace peersock::app::testing
