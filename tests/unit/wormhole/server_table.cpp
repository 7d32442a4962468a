#include "server_table.hpp"

#include <string>
#include <vector>

#include "server_script.hpp"

namespace peersock::testing {
namespace {

/// Connection 1 is the one that is looked at; the others make its surroundings.
const ServerRule kSituations[] = {
    {"Absent", ""},
    {"Unbound", "1 connects\n1< welcome {}"},
    {"Bound", "1 joins a"},
    {"Allocated", "1 joins a\n1> {\"type\":\"allocate\"}\n1< allocated $n"},
    {"Claimed", "1 joins a\n1> {\"type\":\"claim\",\"nameplate\":\"4\"}\n1< claimed $m"},
    {"ClaimRefused", R"(
      8 joins x
      8> {"type":"claim","nameplate":"4"}
      8< claimed $m
      9 joins y
      9> {"type":"claim","nameplate":"4"}
      9< claimed $m
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< error crowded)"},
    {"Released", R"(
      1 joins a
      1> {"type":"claim","nameplate":"4"}
      1< claimed $m
      1> {"type":"release"}
      1< released)"},
    {"Open", R"(
      1 joins a
      1> {"type":"open","mailbox":"box"})"},
    {"OpenRefused", R"(
      8 joins x
      8> {"type":"open","mailbox":"box"}
      9 joins y
      9> {"type":"open","mailbox":"box"}
      1 joins a
      1> {"type":"open","mailbox":"box"}
      1< error crowded)"},
    {"Lingering", R"(
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

}  // namespace

Table server_table() {
  Table table;
  for (const ServerRule& situation : kSituations) {
    for (const ServerRule& input : kInputs) {
      ServerScript script;
      script.play(situation.script);
      script.begin(input.script);
      std::string heard;
      for (const auto& frame : script.inbox(1)) {
        std::string text = brief(frame);
        if (text.starts_with("claimed") || text.starts_with("allocated")) {
          text.resize(text.find(' '));  // what follows is random
        }
        heard += (heard.empty() ? "" : ", ") + text;
      }
      table.push_back({std::string(script.server().state_name()) + ' ' + situation.name, input.name,
                       std::string(script.server().state_name()), heard});
    }
  }
  return table;
}

}  // namespace peersock::testing
