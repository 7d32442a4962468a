// Runs a machine through every pair of situation and input, and writes down what it did. The unit
// tests compare the result with a table written by hand; the diagrams in docs/ are drawn from it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/machine.hpp"

namespace peersock::testing {

struct TableRow {
  std::string state;
  std::string input;
  std::string next;
  std::string outputs;  ///< names separated by one space

  friend bool operator==(const TableRow&, const TableRow&) = default;
};
using Table = std::vector<TableRow>;

/// A way to bring a fresh machine into a state. `name` may say more than the state's own name.
template <Machine M>
struct Situation {
  std::string name;
  std::function<M()> make;
};
/// An example of an input. `name` may say more than the input's own name.
template <Machine M>
struct Example {
  std::string name;
  std::function<typename M::Input()> make;
};

/// All situations x all examples, each on a machine of its own.
template <Machine M>
[[nodiscard]] Table tabulate(const std::vector<Situation<M>>& situations,
                             const std::vector<Example<M>>& examples, Instant now) {
  Table table;
  for (const auto& situation : situations) {
    for (const auto& example : examples) {
      M machine = situation.make();
      const auto outputs = machine.handle(example.make(), now);
      std::string names;
      for (const auto& output : outputs) {
        if (!names.empty()) names += ' ';
        names += name_of(output);
      }
      table.push_back({situation.name, example.name, std::string(machine.state_name()), names});
    }
  }
  return table;
}

/// One line a row, `state | input | next | outputs`; what a test compares and prints.
[[nodiscard]] std::string to_text(const Table& table);
/// The table that a machine is held to: tests/data/tables/NAME.txt, in the form of to_text.
[[nodiscard]] std::string expected_table(const std::string& name);
/// A Mermaid state diagram of the rows that change state or output something.
[[nodiscard]] std::string to_mermaid(const Table& table);

}  // namespace peersock::testing
