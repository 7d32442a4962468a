// Names of a simulation. GIO's resolver is replaced for the whole process, so that everything that
// looks a name up gets its answer from a table and in virtual time: our own Resolver
// (adapters/resolver.hpp) and GSocketClient alike. A lookup sends no packets.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "stack/scheduler.hpp"

namespace peersock::sim {

struct NameSpec {
  std::string name;
  /// Numeric, in the order of the answer; none: the name does not exist.
  std::vector<std::string> addresses{};
  Nanos delay = std::chrono::milliseconds(20);  ///< of each answer
  /// From the start of the simulation: until then the answer is that there is none for the moment.
  Nanos broken{0};
  friend bool operator==(const NameSpec&, const NameSpec&) = default;
};

class Names {
 public:
  /// Whatever is asked from now on is asked of this object. One at a time in a process.
  Names();
  ~Names();
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;
  Names(Names&&) = delete;
  Names& operator=(Names&&) = delete;

  void add(const NameSpec& spec) { specs_[spec.name] = spec; }
  /// A name that is known has other addresses from now on.
  void point(const std::string& name, std::vector<std::string> addresses);
  /// Null: nobody knows it.
  [[nodiscard]] const NameSpec* find(const std::string& name) const;

 private:
  std::map<std::string, NameSpec> specs_;
};

}  // namespace peersock::sim
