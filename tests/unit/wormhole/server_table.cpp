#include "server_table.hpp"

#include <string>

#include "server_script.hpp"

namespace peersock::testing {
namespace {

/// Connection 1 is the one that is looked at; the others make its surroundings.
const ServerRule kSituations[] = {
    {"Absent", ""},
    {"Unbound", "1 connects\n1< welcome {}"},
    {"Bound", "1 joins a"},
    {"Bound allocated", "1 joins a\n1> {\"type\":\"allocate\"}\n1< allocated $n"},
    {"Bound claimed", "1 joins a\n1> {\"type\":\"claim\",\"nameplate\":\"4\"}\n1< claimed $m"},
    {"Bound claim refused", R"(
      8 joins x
      8> {"type":"claim","nameplate":"4"}
      8< claimed $m
      9 joins y
      9> {"type":"claim","nameplate":"4"}
      9< claimed $m
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< error crowded)"},
    {"Bound released", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1> {"type":"release"}
      1< released)"},
    {"Open", R"(
      1 joins a
      1> {"type":"open","mailbox":"box"})"},
    {"Bound open refused", R"(
      8 joins x
      8> {"type":"open","mailbox":"box"}
      9 joins y
      9> {"type":"open","mailbox":"box"}
      1 joins a
      1> {"type":"open","mailbox":"box"}
      1< error crowded)"},
    {"Open mailbox gone", R"(
      1 joins a
      1> {"type":"open","mailbox":"box"}
      9 joins a
      9> {"type":"close","mailbox":"box"}
      9< closed)"},
    {"Closed", R"(
      1 joins a
      1> {"type":"open","mailbox":"box"}
      1> {"type":"close"}
      1< closed)"},
};

const ServerRule kInputs[] = {
    {"connect", "1 connects"},
    {"disconnect", "1 leaves"},
    {"deadline", "after 1200"},
    {"garbage", "1> ?"},
    {"no type", "1> {}"},
    {"unknown type", R"(1> {"type":"x"})"},
    {"ping", R"(1> {"type":"ping","ping":1})"},
    {"bind", R"(1> {"type":"bind","appid":"app","side":"a"})"},
    {"list", R"(1> {"type":"list"})"},
    {"allocate", R"(1> {"type":"allocate"})"},
    {"claim", R"(1> {"type":"claim","nameplate":"4"})"},
    {"claim nothing", R"(1> {"type":"claim"})"},
    {"release", R"(1> {"type":"release"})"},
    {"release 4", R"(1> {"type":"release","nameplate":"4"})"},
    {"release 5", R"(1> {"type":"release","nameplate":"5"})"},
    {"open", R"(1> {"type":"open","mailbox":"box"})"},
    {"open nothing", R"(1> {"type":"open"})"},
    {"add", R"(1> {"type":"add","phase":"p","body":"00"})"},
    {"add nothing", R"(1> {"type":"add"})"},
    {"close", R"(1> {"type":"close"})"},
    {"close box", R"(1> {"type":"close","mailbox":"box"})"},
    {"close other", R"(1> {"type":"close","mailbox":"other"})"},
};

/// The first frame that answers `request`, in short.
std::string ask(ServerScript& script, const std::string& request) {
  script.inbox(1).clear();
  script.begin("1> " + request);
  return script.inbox(1).empty() ? "" : brief(script.inbox(1).front());
}

/// How far connection 1 has come, found out by what it may say.
std::string phase(ServerScript& script) {
  if (ask(script, R"({"type":"ping","ping":1})").empty()) return "Absent";
  if (ask(script, R"({"type":"list"})") == "error must bind first") return "Unbound";
  if (ask(script, R"({"type":"add"})") == "error missing 'phase'") return "Open";
  const std::string closing = ask(script, R"({"type":"close"})");
  return closing == "error only one close per connection" ? "Closed" : "Bound";
}

/// All that connection 1 heard; what is random is left out.
std::string heard(ServerScript& script) {
  std::string text;
  for (const auto& frame : script.inbox(1)) {
    std::string one = brief(frame);
    if (one.starts_with("claimed") || one.starts_with("allocated")) one.resize(one.find(' '));
    text += (text.empty() ? "" : ", ") + one;
  }
  return text;
}

}  // namespace

Table server_table() {
  Table table;
  for (const ServerRule& situation : kSituations) {
    for (const ServerRule& input : kInputs) {
      ServerScript script;
      script.play(situation.script);
      script.begin(input.script);
      const std::string outputs = heard(script);
      table.push_back({situation.name, input.name, phase(script), outputs});
    }
  }
  return table;
}

}  // namespace peersock::testing
