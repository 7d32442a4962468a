// The entry points that libFuzzer calls; one executable for each target.
//
//   fuzz-TARGET --write-seeds DIR    writes the target's seeds, one file each, and ends
//   fuzz-TARGET [LIBFUZZER ARGUMENTS]
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "targets.hpp"

namespace {

const peersock::fuzz::Target& target() {
  static const auto targets = peersock::fuzz::all_targets();
  for (const auto& candidate : targets) {
    if (candidate.name == PEERSOCK_FUZZ_TARGET) return candidate;
  }
  std::abort();
}

bool write_seeds(const std::string& folder) {
  int number = 0;
  for (const peersock::Bytes& seed : target().seeds()) {
    std::ofstream file(folder + "/seed-" + std::to_string(number++), std::ios::binary);
    file << peersock::as_text(seed);
    if (!file.flush()) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc == 3 && std::string_view((*argv)[1]) == "--write-seeds") {
    std::exit(write_seeds((*argv)[2]) ? 0 : 1);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string broken = target().run({data, size});
  if (broken.empty()) return 0;
  std::cerr << broken << std::endl;  // flushed: the process ends here
  std::abort();
}
