// Test vectors that are kept as JSON files under tests/data/vectors.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "core/bytes.hpp"
#include "core/rng.hpp"

namespace peersock::testing {

/// The file `name`; throws when it is missing or no JSON, which fails the test.
[[nodiscard]] nlohmann::json read_vectors(const std::string& name);
/// The file `name` of docs/spec; throws when it is missing.
[[nodiscard]] std::string read_specification(const std::string& name);
/// A member that holds octets in hexadecimal; throws when it does not.
[[nodiscard]] Bytes octets_of(const nlohmann::json& object, const std::string& member);

/// Gives the octets that it was made with, first to last, then zeros.
class ScriptedRng final : public Rng {
 public:
  explicit ScriptedRng(Bytes octets) : octets_(std::move(octets)) {}
  void fill(MutableBytes out) override;

 private:
  Bytes octets_;
  std::size_t used_ = 0;
};

}  // namespace peersock::testing
