// The command line (docs/spec/cli.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "app/mailbox_options.hpp"
#include "app/render_text.hpp"
#include "app/settings.hpp"
#include "core/endpoint.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"
#include "ice/negotiation.hpp"

namespace peersock::app {

enum class Command : std::uint8_t { kConnect, kListen, kStdioA, kStdioB, kMailbox, kDoctor };

struct Options {
  Command command = Command::kListen;
  /// connect: the target; listen: where to accept.
  std::optional<Endpoint> endpoint;
  std::optional<Secret> code;  ///< as typed; not checked
  std::optional<int> code_fd;
  bool once = false;
  bool json = false;
  bool trace = false;
  Verbosity verbosity = Verbosity::kNormal;
  std::optional<Duration> timeout;  ///< for the wait for the peer, or doctor's whole run
  ice::RelayPolicy relay = ice::RelayPolicy::kAuto;
  std::optional<std::string> config_file;
  SettingsLayer settings;
  adapters::MailboxServerConfig mailbox;  ///< of the command mailbox
};

/// --help or --version: for standard output, and exit code 0. Ends with a line end.
struct Information {
  std::string text;
};
using CommandLine = std::variant<Options, Information>;

/// Reads the arguments and overwrites the code, the TURN password and the proxy where they stand in
/// `argv`. Errors are kUsage, one sentence, without the code, the password or an argument that is
/// in the wrong place (it may be one of them).
[[nodiscard]] Result<CommandLine> parse_command_line(int argc, char** argv);

/// Whether --json is among the arguments: how to report that they are wrong.
[[nodiscard]] bool asks_for_json(int argc, char** argv);

}  // namespace peersock::app
