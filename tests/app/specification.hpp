// The documents under docs/spec, which tests hold to the code.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

namespace peersock::app::testing {

/// The text of docs/spec/NAME; empty when there is none.
[[nodiscard]] inline std::string specification(const std::string& name) {
  const std::ifstream file(PEERSOCK_SPEC "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace peersock::app::testing
