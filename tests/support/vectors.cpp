#include "support/vectors.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace peersock::testing {

nlohmann::json read_vectors(const std::string& name) {
  std::ifstream file(std::string(PEERSOCK_TEST_DATA "/vectors/") + name);
  return nlohmann::json::parse(file);
}

std::string read_specification(const std::string& name) {
  std::ifstream file(std::string(PEERSOCK_SPECIFICATION "/") + name);
  if (!file) throw std::runtime_error("docs/spec/" + name + " is missing");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Bytes octets_of(const nlohmann::json& object, const std::string& member) {
  return from_hex(object.at(member).get<std::string>()).value();
}

void ScriptedRng::fill(MutableBytes out) {
  for (std::uint8_t& octet : out) octet = used_ < octets_.size() ? octets_[used_++] : 0;
}

}  // namespace peersock::testing
