// Files of one test, that go with it.
#pragma once

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace peersock::testing {

class TemporaryFiles {
 public:
  TemporaryFiles()
      : path_(::testing::TempDir() + "peersock-" + std::to_string(getpid()) + "-" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name()) {}
  TemporaryFiles(const TemporaryFiles&) = delete;
  TemporaryFiles& operator=(const TemporaryFiles&) = delete;
  TemporaryFiles(TemporaryFiles&&) = delete;
  TemporaryFiles& operator=(TemporaryFiles&&) = delete;
  ~TemporaryFiles() {
    for (const auto& file : files_) remove(file);
  }
  /// A name that is free, or a file with this content.
  std::string file(const std::string& name, const std::string& content = {}) {
    files_.push_back(path_ + "-" + name);
    remove(files_.back());
    if (!content.empty()) std::ofstream(files_.back()) << content;
    return files_.back();
  }

 private:
  /// With what SQLite puts beside it.
  static void remove(const std::string& file) {
    for (const char* part : {"", "-wal", "-shm"}) (void)std::remove((file + part).c_str());
  }

  std::string path_;
  std::vector<std::string> files_;
};

}  // namespace peersock::testing
