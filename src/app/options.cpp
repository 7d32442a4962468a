#include "app/options.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/conversion.hpp"
#include "app/printable.hpp"

namespace peersock::app {
namespace {

/// Options whose values nobody else may see.
constexpr std::array<std::string_view, 2> kSecretFlags{"--turn-password", "--proxy"};
/// Two numbers and three words, if each is an argument of its own.
constexpr int kMaxCodeArguments = 5;

constexpr const char* kDescription =
    "Joins two processes on two machines with a short code, through NATs, without an account.";
constexpr const char* kFooter = R"(
One side makes the code and shows it, the other is given it:
  peersock connect localhost:22              on the machine with the service
  peersock listen 2222 8-lab-name-blanket    on the other; then: ssh -p 2222 localhost

Pairs: listen with connect, stdio-a with stdio-b, listen with stdio-a, stdio-b with connect.
"peersock doctor" tells what stands between this machine and others.
"peersock COMMAND --help" lists the options of a command.

Exit codes: 0 done, 1 internal, 2 usage or configuration, 3 rendezvous server, 4 code in use,
5 wrong code, 6 no path, 7 peer never came, 8 connection lost, 9 local endpoint, 130 interrupted.
)";

using Text = std::optional<std::string>;

/// Usage lines as in manual pages.
class Formatter final : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* command, std::string /*name*/) const override {
    if (command->get_parent() == nullptr) return "Usage: peersock COMMAND [OPTIONS]\n";
    std::string line = "Usage: peersock " + command->get_name() + " [OPTIONS]";
    for (const CLI::Option* option : command->get_options()) {
      if (!option->get_positional()) continue;
      const std::string name = option->get_name(true);
      line += option->get_required() ? " " + name : " [" + name + "]";
    }
    return line + "\n";
  }
};

/// What stood on the command line, before any value is looked at.
struct Raw {
  Options options;
  std::string endpoint;
  std::vector<std::string> code;
  Text code_fd;
  Text timeout;
  Text relay;
  std::vector<std::string> rendezvous;
  Text stun, stun_port;
  Text turn, turn_port, turn_user, turn_password, turn_transport;
  Text proxy;
  Text engine, congestion, path, port_search;
  MailboxArguments mailbox;
  bool quiet = false;
  bool verbose = false;
};

/// An option with one value; the last one counts. It may be empty, which CLI11's own optional
/// values can not.
void add_text(CLI::App& command, const char* name, const char* type, Text& place,
              const std::string& help) {
  command
      .add_option_function<std::string>(
          name, [&place](const std::string& value) { place = value; }, help)
      ->type_name(type)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void add_flag(CLI::App& command, const char* name, bool& place, const std::string& help) {
  command.add_flag(name, place, help)->disable_flag_override();
}

void add_output_options(CLI::App& command, Raw& raw) {
  add_flag(command, "--json", raw.options.json, "Write events as JSON lines on standard error");
  add_flag(command, "-q,--quiet", raw.quiet, "Show only the code and errors");
  add_flag(command, "-v,--verbose", raw.verbose, "Show every event");
  add_flag(command, "--trace", raw.options.trace, "Show every step of the protocol, by name only");
}

void add_network_options(CLI::App& command, Raw& raw) {
  command
      .add_option(
          "--rendezvous", raw.rendezvous,
          "Where the two sides meet: ws:// or wss://; may be repeated, and a code is made on "
          "the first one that works")
      ->type_name("URL")
      ->allow_extra_args(false);
  add_text(command, "--relay", "WHEN", raw.relay,
           "Use of the TURN server: auto (the default), only or never");
  add_text(command, "--stun", "HOST", raw.stun, "STUN server; empty for none");
  add_text(command, "--stun-port", "PORT", raw.stun_port, "Its port");
  add_text(command, "--turn", "HOST", raw.turn, "TURN server; empty for none");
  add_text(command, "--turn-port", "PORT", raw.turn_port, "Its port");
  add_text(command, "--turn-user", "NAME", raw.turn_user, "User name at the TURN server");
  add_text(command, "--turn-password", "PASSWORD", raw.turn_password,
           "Password; better in PEERSOCK_TURN_PASSWORD or the configuration file");
  add_text(
      command, "--turn-transport", "PROTOCOL", raw.turn_transport,
      "How to talk to the TURN server: auto (the default), or udp, tcp, tls with commas between");
  add_text(command, "--proxy", "URL", raw.proxy,
           "HTTP proxy for the rendezvous and for TURN over TCP and TLS: "
           "http://[USER:PASSWORD@]HOST:PORT; empty for none; with a password better in "
           "PEERSOCK_PROXY or the configuration file");
  add_text(command, "--engine", "NAME", raw.engine,
           "What carries out QUIC here: ngtcp2 (the default) or openssl");
  add_text(command, "--congestion", "NAME", raw.congestion,
           "Congestion control with ngtcp2: bbr (the default), cubic or reno");
  add_text(command, "--port-search", "WHEN", raw.port_search,
           "Search for a direct path while the session is relayed: auto (the default) or off");
  add_text(command, "--path", "HOW", raw.path,
           "What carries datagrams: auto (the default), or nice for libnice's calls only");
  add_text(command, "--config", "FILE", raw.options.config_file,
           "Configuration file instead of $XDG_CONFIG_HOME/peersock.conf");
}

CLI::App& add_session(CLI::App& app, Raw& raw, Command name, const char* word,
                      const std::string& help) {
  CLI::App& command = *app.add_subcommand(word, help);
  command.callback([&raw, name] { raw.options.command = name; });
  command.group("Commands");
  return command;
}

/// After the endpoint, because positional arguments are taken in this order.
void add_session_options(CLI::App& command, Raw& raw) {
  command.add_option("CODE", raw.code, "The code that the other side shows; without it, make one")
      ->expected(0, kMaxCodeArguments)
      ->type_name("");
  add_text(command, "--code-fd", "N", raw.code_fd,
           "Read the code from the first line of the open file N");
  add_text(command, "--timeout", "SECONDS", raw.timeout,
           "Give up if the other side has not come by then");
  add_output_options(command, raw);
  add_network_options(command, raw);
}

void add_endpoint(CLI::App& command, Raw& raw, const char* name, const std::string& help) {
  command.add_option(name, raw.endpoint, help)->required()->type_name("");
  add_flag(command, "--once", raw.options.once, "End after one connection");
}

void add_commands(CLI::App& app, Raw& raw) {
  CLI::App& connect = add_session(app, raw, Command::kConnect, "connect",
                                  "Make the other side's connections to a service here");
  add_endpoint(connect, raw, "TARGET", "HOST:PORT, [IPv6]:PORT or unix:PATH");
  add_session_options(connect, raw);
  CLI::App& listen = add_session(app, raw, Command::kListen, "listen",
                                 "Accept connections here and carry them to the other side");
  add_endpoint(listen, raw, "ADDRESS",
               "PORT (on loopback), ADDRESS:PORT, [IPv6]:PORT, *:PORT or unix:PATH; port 0 is any");
  add_session_options(listen, raw);
  add_session_options(add_session(app, raw, Command::kStdioA, "stdio-a",
                                  "Join standard input and output with stdio-b or listen"),
                      raw);
  add_session_options(add_session(app, raw, Command::kStdioB, "stdio-b",
                                  "Join standard input and output with stdio-a or connect"),
                      raw);
  CLI::App& mailbox = add_session(app, raw, Command::kMailbox, "mailbox",
                                  "Run a rendezvous server, for a network of one's own");
  raw.mailbox.add_to(mailbox);
  add_output_options(mailbox, raw);
  CLI::App& doctor = add_session(app, raw, Command::kDoctor, "doctor",
                                 "Tell what stands between this machine and others");
  add_text(doctor, "--timeout", "SECONDS", raw.timeout, "Take no longer than this; 10 at most");
  add_output_options(doctor, raw);
  add_network_options(doctor, raw);
}

tl::unexpected<Error> usage(std::string message) {
  return fail(ErrorKind::kUsage, std::move(message));
}

/// The first argument that nobody wanted, if it is an option: only its name is sure to be none
/// of the user's secrets.
Text unknown_option(const std::vector<std::string>& left) {
  for (const std::string& extra : left) {
    if (extra.size() > 1 && extra.front() == '-') return excerpt(extra.substr(0, extra.find('=')));
  }
  return std::nullopt;
}

/// From CLI11's words, which hold names of options but no values.
std::string explain_mismatch(const std::string& what) {
  constexpr std::string_view kFlag = " was given a disallowed flag override";
  if (what.ends_with(kFlag)) {  // "json was given ..."
    const std::size_t size = what.size() - kFlag.size();
    const std::size_t dashes = what.find_first_not_of('-');
    return fmt::format("--{} does not take a value", what.substr(dashes, size - dashes));
  }
  if (what.starts_with('-')) {  // "--stun: 1 required HOST missing"
    return fmt::format("{} needs a value", what.substr(0, what.find_first_of(": ")));
  }
  return "There are more arguments than expected";
}

tl::unexpected<Error> explain(const CLI::App& app, const CLI::ParseError& problem) {
  const auto chosen = app.get_subcommands();
  const std::string help =
      chosen.empty() ? "peersock --help" : fmt::format("peersock {} --help", chosen[0]->get_name());
  const auto left = app.remaining(true);
  if (chosen.empty() && (left.empty() || !left.front().starts_with('-'))) {
    return usage(fmt::format(
        "{}; expected is connect, listen, stdio-a, stdio-b, mailbox or doctor, see {}",
        left.empty() ? "A command is missing" : "The first argument is not a command", help));
  }
  if (const Text option = unknown_option(left)) {
    if (!chosen.empty() && chosen[0]->get_option_no_throw(*option) != nullptr) {
      return usage(fmt::format("{} has to follow the command; see {}", *option, help));
    }
    return usage(fmt::format("{} is not an option{}; see {}", *option,
                             chosen.empty() ? "" : " of this command", help));
  }
  const std::string what = problem.what();
  if (dynamic_cast<const CLI::RequiredError*>(&problem) != nullptr) {
    return usage(fmt::format("{}; see {}", what, help));  // "TARGET is required"
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&problem) != nullptr) {
    return usage(fmt::format("{}; see {}", explain_mismatch(what), help));
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr) {
    return usage(fmt::format("There are more arguments than expected; see {}", help));
  }
  return usage(fmt::format("The arguments are not understood; see {}", help));
}

void convert_settings(Conversion& conversion, Raw& raw) {
  SettingsLayer& layer = raw.options.settings;
  if (!raw.rendezvous.empty()) {
    conversion.read(layer.rendezvous_urls, "--rendezvous", std::optional(raw.rendezvous),
                    parse_rendezvous_urls);
  }
  conversion.read(layer.stun_host, "--stun", raw.stun, parse_server);
  conversion.read(layer.stun_port, "--stun-port", raw.stun_port, parse_port);
  conversion.read(layer.turn_host, "--turn", raw.turn, parse_server);
  conversion.read(layer.turn_port, "--turn-port", raw.turn_port, parse_port);
  conversion.read(layer.turn_user, "--turn-user", raw.turn_user, parse_turn_user);
  conversion.read(layer.turn_password, "--turn-password", raw.turn_password, parse_turn_password);
  conversion.read(layer.turn_transports, "--turn-transport", raw.turn_transport,
                  parse_turn_transports);
  conversion.read(layer.proxies, "--proxy", raw.proxy, parse_proxy);
  conversion.read(layer.engine, "--engine", raw.engine, parse_engine);
  conversion.read(layer.congestion, "--congestion", raw.congestion, parse_congestion);
  conversion.read(layer.port_search, "--port-search", raw.port_search, parse_port_search);
  conversion.read(layer.path, "--path", raw.path, parse_path_policy);
}

void convert_endpoint(Conversion& conversion, Raw& raw) {
  Options& options = raw.options;
  if (options.command == Command::kMailbox) {
    auto config = raw.mailbox.convert();
    if (!config) return conversion.take(std::move(config.error()));
    options.mailbox = *std::move(config);
    return;
  }
  const bool connects = options.command == Command::kConnect;
  if (!connects && options.command != Command::kListen) return;
  auto endpoint =
      connects ? parse_connect_target(raw.endpoint) : parse_listen_address(raw.endpoint);
  if (!endpoint) return conversion.take(std::move(endpoint.error()));
  options.endpoint = std::move(*endpoint);
}

void convert_code(Conversion& conversion, Raw& raw) {
  std::optional<ice::RelayPolicy> relay;
  conversion.read(relay, "--relay", raw.relay, parse_relay_policy);
  if (relay) raw.options.relay = *relay;
  conversion.read(raw.options.timeout, "--timeout", raw.timeout, parse_timeout);
  conversion.read(raw.options.code_fd, "--code-fd", raw.code_fd, parse_descriptor);
  conversion.refuse_if(raw.options.code_fd && !raw.code.empty(),
                       "The code is given twice; expected is CODE or --code-fd, not both");
  if (raw.code.empty()) return;
  std::string joined;
  for (std::string& part : raw.code) {
    if (&part != &raw.code.front()) joined += '-';
    joined += part;
    wipe(part);
  }
  raw.options.code = Secret(std::string_view(joined));
  wipe(joined);
}

Result<CommandLine> convert(Raw raw) {
  Conversion conversion;
  conversion.refuse_if(raw.quiet && raw.verbose,
                       "--quiet and --verbose exclude each other; expected is one of them");
  if (raw.quiet) raw.options.verbosity = Verbosity::kQuiet;
  if (raw.verbose) raw.options.verbosity = Verbosity::kVerbose;
  convert_endpoint(conversion, raw);
  convert_code(conversion, raw);
  convert_settings(conversion, raw);
  for (Text* secret : {&raw.turn_password, &raw.proxy}) {
    if (*secret) wipe(**secret);
  }
  if (conversion.error()) return tl::unexpected(*conversion.error());
  return CommandLine(std::move(raw.options));
}

void overwrite(char* text) {
  std::fill(text, text + std::strlen(text), '*');
}

bool is_secret_flag(std::string_view argument) {
  return std::find(kSecretFlags.begin(), kSecretFlags.end(), argument) != kSecretFlags.end();
}

void hide_secrets(int argc, char** argv, const std::vector<std::string>& code) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const bool is_secret = is_secret_flag(argv[i - 1]);
    const std::size_t equals = argument.find('=');
    if (equals != std::string_view::npos && is_secret_flag(argument.substr(0, equals))) {
      overwrite(argv[i] + equals + 1);
    } else if (is_secret || std::find(code.begin(), code.end(), argument) != code.end()) {
      overwrite(argv[i]);
    }
  }
}

/// The arguments last to first, as CLI11 wants them. "--stun=" becomes two, the second empty: CLI11
/// would take the next argument for the value.
std::vector<std::string> reversed(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    const std::string_view argument = argv[i];
    const bool lacks_value =
        argument.starts_with("--") && argument.find('=') + 1 == argument.size();
    if (lacks_value) arguments.emplace_back();
    arguments.emplace_back(argument.substr(0, argument.size() - (lacks_value ? 1 : 0)));
  }
  return arguments;
}

}  // namespace

Result<CommandLine> parse_command_line(int argc, char** argv) {
  Raw raw;
  raw.endpoint = kDefaultMailboxAddress;
  CLI::App app(kDescription, "peersock");
  const auto formatter = std::make_shared<Formatter>();
  formatter->label("REQUIRED", "");
  app.formatter(formatter);
  app.require_subcommand(1);
  app.set_version_flag("--version", "peersock " PEERSOCK_VERSION);
  add_commands(app, raw);
  app.footer(kFooter);  // after the commands, which would take it over
  try {
    app.parse(reversed(argc, argv));
  } catch (const CLI::CallForVersion& version) {
    return CommandLine(Information{std::string(version.what()) + "\n"});
  } catch (const CLI::CallForHelp&) {
    return CommandLine(Information{app.help()});
  } catch (const CLI::ParseError& problem) {
    return explain(app, problem);
  }
  hide_secrets(argc, argv, raw.code);
  return convert(std::move(raw));
}

bool asks_for_json(int argc, char** argv) {
  return std::any_of(argv, argv + argc,
                     [](const char* argument) { return std::string_view(argument) == "--json"; });
}

}  // namespace peersock::app
