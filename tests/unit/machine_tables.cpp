// Prints the transition table of a machine, or its diagram for docs/architecture.md.
//   machine-tables text|mermaid NAME
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include "auth/handshake_table.hpp"
#include "ice/nat_probe_table.hpp"
#include "ice/negotiation_table.hpp"
#include "ice/port_search_table.hpp"
#include "ice/restarts_table.hpp"
#include "session/session_table.hpp"
#include "wormhole/client_table.hpp"
#include "wormhole/server_table.hpp"

int main(int argc, char** argv) {
  using namespace peersock::testing;  // NOLINT(google-build-using-namespace)
  const std::map<std::string, std::function<Table()>> tables = {
      {"auth", handshake_table}, {"client", client_table},     {"ice", negotiation_table},
      {"nat", nat_probe_table},  {"ports", port_search_table}, {"restart", restarts_table},
      {"server", server_table},  {"session", session_table},
  };
  const auto chosen = argc == 3 ? tables.find(argv[2]) : tables.end();
  if (chosen == tables.end()) {
    std::cerr << "usage: machine-tables text|mermaid NAME, where NAME is one of:";
    for (const auto& [name, make] : tables) std::cerr << ' ' << name;
    std::cerr << '\n';
    return 2;
  }
  const Table table = chosen->second();
  std::cout << (std::string(argv[1]) == "mermaid" ? to_mermaid(table) : to_text(table));
  return 0;
}
