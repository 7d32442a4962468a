#include "support/machine_table.hpp"

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <utility>

namespace peersock::testing {

std::string to_text(const Table& table) {
  std::string text;
  for (const TableRow& row : table) {
    text += row.state + " | " + row.input + " | " + row.next + " |";
    if (!row.outputs.empty()) text += ' ' + row.outputs;
    text += '\n';
  }
  return text;
}

std::string expected_table(const std::string& name) {
  const std::ifstream file(PEERSOCK_TEST_DATA "/tables/" + name + ".txt");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string to_mermaid(const Table& table) {
  // Several inputs may lead from one state to the same next one: one arrow carries them all.
  std::map<std::pair<std::string, std::string>, std::set<std::string>> arrows;
  for (const TableRow& row : table) {
    const std::string from = row.state.substr(0, row.state.find(' '));
    if (from != row.next) arrows[{from, row.next}].insert(row.input.substr(0, row.input.find(' ')));
  }
  std::string text = "stateDiagram-v2\n";
  for (const auto& [ends, inputs] : arrows) {
    text += "  " + ends.first + " --> " + ends.second + " : ";
    bool first = true;
    for (const std::string& input : inputs) {
      if (!first) text += ", ";
      text += input;
      first = false;
    }
    text += '\n';
  }
  return text;
}

}  // namespace peersock::testing
