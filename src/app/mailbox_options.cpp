#include "app/mailbox_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <glib.h>

#include "app/printable.hpp"

namespace peersock::app {
namespace {

using Config = adapters::MailboxServerConfig;

constexpr std::uint64_t kKibi = 1024;
constexpr std::uint64_t kMebi = 1024 * kKibi;
constexpr std::uint64_t kGibi = 1024 * kMebi;
constexpr std::uint64_t kMillion = 1'000'000;
constexpr std::uint64_t kMonth = 30ULL * 24 * 3600;  // s
/// Longest message of the day, error or version, in octets.
constexpr std::size_t kMaxText = 4096;
/// How often idle mailboxes are looked for, unless they shall go sooner than that.
constexpr Duration kPruneEvery = 5min;

enum class Unit : std::uint8_t { kCount, kOctets, kSeconds };

/// A limit that an operator can set.
struct Limit {
  const char* name;
  Unit unit;
  std::uint64_t lowest;
  std::uint64_t highest;
  const char* help;
  std::uint64_t (*get)(const Config&);
  void (*set)(Config&, std::uint64_t);
};

template <auto Member>
constexpr Limit shell_limit(const char* name, Unit unit, std::uint64_t lowest,
                            std::uint64_t highest, const char* help) {
  return {name,
          unit,
          lowest,
          highest,
          help,
          [](const Config& config) -> std::uint64_t { return config.*Member; },
          [](Config& config, std::uint64_t value) { config.*Member = value; }};
}

template <auto Member>
constexpr Limit rule_limit(const char* name, Unit unit, std::uint64_t lowest, std::uint64_t highest,
                           const char* help) {
  return {name,
          unit,
          lowest,
          highest,
          help,
          [](const Config& config) -> std::uint64_t { return config.rules.*Member; },
          [](Config& config, std::uint64_t value) { config.rules.*Member = value; }};
}

std::uint64_t in_seconds(Duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

Duration from_seconds(std::uint64_t seconds) {
  return std::chrono::seconds(static_cast<std::int64_t>(seconds));
}

template <auto Member>
constexpr Limit time_limit(const char* name, std::uint64_t lowest, std::uint64_t highest,
                           const char* help) {
  return {name,
          Unit::kSeconds,
          lowest,
          highest,
          help,
          [](const Config& config) { return in_seconds(config.*Member); },
          [](Config& config, std::uint64_t value) { config.*Member = from_seconds(value); }};
}

using Rules = wormhole::ServerConfig;

const std::array kLimits{
    shell_limit<&Config::max_connections>("--max-connections", Unit::kCount, 1, kMillion,
                                          "Connections in all"),
    shell_limit<&Config::max_connections_per_address>("--max-connections-per-address", Unit::kCount,
                                                      1, kMillion,
                                                      "… of one IPv4 address or IPv6 /64"),
    rule_limit<&Rules::max_nameplates_per_origin>("--max-nameplates-per-address", Unit::kCount, 1,
                                                  kMillion, "Nameplates in use that one made"),
    rule_limit<&Rules::max_mailboxes>("--max-mailboxes", Unit::kCount, 1, 16 * kMillion,
                                      "Mailboxes in all"),
    rule_limit<&Rules::max_messages_per_mailbox>("--max-messages", Unit::kCount, 1, kMillion,
                                                 "Messages in one mailbox"),
    rule_limit<&Rules::max_frame>("--max-message-size", Unit::kOctets, 4 * kKibi, 256 * kMebi,
                                  "Octets of one message from a client"),
    rule_limit<&Rules::max_octets_per_mailbox>("--max-mailbox-size", Unit::kOctets, 4 * kKibi,
                                               4 * kGibi, "Octets kept in one mailbox"),
    rule_limit<&Rules::max_octets>("--max-stored", Unit::kOctets, 64 * kKibi, 1024 * kGibi,
                                   "Octets kept in all"),
    shell_limit<&Config::max_backlog>("--max-backlog", Unit::kOctets, 8 * kKibi, 8 * kGibi,
                                      "Octets that wait for one slow reader"),
    shell_limit<&Config::max_backlog_in_all>("--max-backlog-in-all", Unit::kOctets, 8 * kKibi,
                                             1024 * kGibi, "… and for all of them"),
    time_limit<&Config::ping_every>("--ping-every", 1, 3600, "How often clients are pinged"),
    time_limit<&Config::max_silence>("--client-timeout", 2, kMonth,
                                     "Cut a client that was silent for so long"),
    time_limit<&Config::handshake_timeout>("--handshake-timeout", 1, 600,
                                           "Cut a connection that is no client by then"),
    Limit{"--prune-after", Unit::kSeconds, 1, kMonth,
          "Forget a mailbox that nobody used for so long",
          [](const Config& config) { return in_seconds(config.rules.prune_after); },
          [](Config& config, std::uint64_t value) {
            config.rules.prune_after = from_seconds(value);
            config.rules.prune_every = std::min(kPruneEvery, config.rules.prune_after);
          }},
};

std::string shown(Unit unit, std::uint64_t value) {
  if (unit != Unit::kOctets) return std::to_string(value);
  for (const auto& [size, letter] : {std::pair{kGibi, 'G'}, {kMebi, 'M'}, {kKibi, 'K'}}) {
    if (value >= size && value % size == 0) return fmt::format("{}{}", value / size, letter);
  }
  return std::to_string(value);
}

tl::unexpected<Error> usage(std::string message) {
  return fail(ErrorKind::kUsage, std::move(message));
}

tl::unexpected<Error> expected(std::string_view name, std::string_view text,
                               std::string_view what) {
  return usage(text.empty()
                   ? fmt::format("{} is empty; expected is {}", name, what)
                   : fmt::format("{} is \"{}\"; expected is {}", name, excerpt(text), what));
}

std::uint64_t unit_size(std::string_view suffix) {
  if (suffix.empty()) return 1;
  if (suffix == "K" || suffix == "k") return kKibi;
  if (suffix == "M" || suffix == "m") return kMebi;
  if (suffix == "G" || suffix == "g") return kGibi;
  return 0;
}

/// Digits, and for octets a unit. Nothing when it is no such number or not within the limits.
std::optional<std::uint64_t> parse_number(const Limit& limit, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{}) return std::nullopt;
  const auto suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  const std::uint64_t unit = unit_size(suffix);
  if (unit == 0 || (limit.unit != Unit::kOctets && !suffix.empty())) return std::nullopt;
  if (value > limit.highest / unit || value * unit < limit.lowest) return std::nullopt;
  return value * unit;
}

std::string_view noun(Unit unit) {
  switch (unit) {
    case Unit::kCount:
      return "a whole number";
    case Unit::kOctets:
      return "a number of octets, also like 64K, 16M or 1G,";
    case Unit::kSeconds:
      return "a whole number of seconds";
  }
  return "";
}

const char* type_name(Unit unit) {
  switch (unit) {
    case Unit::kCount:
      return "N";
    case Unit::kOctets:
      return "SIZE";
    case Unit::kSeconds:
      return "SECONDS";
  }
  return "";
}

Result<std::string> parse_text(std::string_view name, const std::string& text) {
  const bool good = !text.empty() && text.size() <= kMaxText &&
                    g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr) != 0;
  if (good) return text;
  return expected(name, text, fmt::format("a text of 1 to {} octets of UTF-8", kMaxText));
}

/// The modes that a socket can have without everybody being able to use it by accident.
Result<mode_t> parse_mode(std::string_view text) {
  unsigned mode = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  const bool whole = problem == std::errc{} && end == text.data() + text.size();
  if (whole && mode <= 0777 && (mode & 0600) == 0600) return static_cast<mode_t>(mode);
  return expected("--unix-mode", text, "three octal digits like 600, 660 or 666");
}

/// What fits together only in one way.
Result<void> check_together(const Config& config) {
  if (config.max_backlog <= config.rules.max_octets_per_mailbox) {
    return usage(
        fmt::format("--max-backlog is {}; expected is more than --max-mailbox-size ({}), because a "
                    "whole mailbox is sent at once",
                    shown(Unit::kOctets, config.max_backlog),
                    shown(Unit::kOctets, config.rules.max_octets_per_mailbox)));
  }
  if (config.max_backlog_in_all < config.max_backlog) {
    return usage(fmt::format("--max-backlog-in-all is {}; expected is at least --max-backlog ({})",
                             shown(Unit::kOctets, config.max_backlog_in_all),
                             shown(Unit::kOctets, config.max_backlog)));
  }
  if (config.max_silence <= config.ping_every) {
    return usage(fmt::format("--client-timeout is {}; expected is more than --ping-every ({})",
                             in_seconds(config.max_silence), in_seconds(config.ping_every)));
  }
  return {};
}

}  // namespace

void MailboxArguments::add_to(CLI::App& command) {
  // The last one counts; CLI11's own optional values can not be empty.
  const auto add = [this, &command](const char* name, const char* type, const std::string& help) {
    return command
        .add_option_function<std::string>(
            name, [this, name](const std::string& value) { texts_[name] = value; }, help)
        ->type_name(type)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  command
      .add_option(
          "--listen", listen_,
          fmt::format("Where to accept clients: PORT (on loopback), ADDRESS:PORT, "
                      "[IPv6]:PORT, *:PORT or unix:PATH; may be repeated; the default is {}",
                      kDefaultMailboxAddress))
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  add("--unix-mode", "MODE", "Mode of the Unix sockets; the default is 600");
  add("--tls-cert", "FILE", "Serve wss: the certificate and its chain, in PEM");
  add("--tls-key", "FILE", "Its key in PEM, if it is not in the same file");
  command
      .add_flag("--behind-proxy", behind_proxy_,
                "Take clients' addresses from X-Forwarded-For, for a reverse proxy on this machine")
      ->disable_flag_override();
  add("--state", "FILE", "Keep mailboxes here, so that a restart loses nothing");
  add("--admin", "ADDRESS", "Where to answer /healthz and /metrics");
  add("--motd", "TEXT", "Message of the day for all clients");
  add("--signal-error", "TEXT", "Tell all clients to go away, and why");
  add("--advertise-version", "VERSION", "Version of their client that users should have");
  command.add_flag("--no-list", no_list_, "Do not tell clients which nameplates are in use")
      ->disable_flag_override();
  const Config defaults;
  for (const Limit& limit : kLimits) {
    add(limit.name, type_name(limit.unit),
        fmt::format("{}; the default is {}", limit.help, shown(limit.unit, limit.get(defaults))))
        ->group("Limits");
  }
}

const std::string* MailboxArguments::text(const char* name) const {
  const auto found = texts_.find(name);
  return found == texts_.end() ? nullptr : &found->second;
}

Result<void> MailboxArguments::convert_endpoints(Config& config) const {
  const std::vector<std::string> standard{kDefaultMailboxAddress};
  for (const std::string& address : listen_.empty() ? standard : listen_) {
    auto endpoint = parse_listen_address(address);
    if (!endpoint) return usage("--listen: " + endpoint.error().message);
    config.listen.push_back(*std::move(endpoint));
  }
  if (const auto* address = text("--admin")) {
    auto endpoint = parse_listen_address(*address);
    if (!endpoint) return usage("--admin: " + endpoint.error().message);
    config.admin = *std::move(endpoint);
  }
  if (const auto* mode = text("--unix-mode")) {
    const auto parsed = parse_mode(*mode);
    if (!parsed) return tl::unexpected(parsed.error());
    config.unix_mode = *parsed;
  }
  return {};
}

Result<void> MailboxArguments::convert_texts(Config& config) const {
  const std::pair<const char*, std::optional<std::string>*> places[] = {
      {"--motd", &config.rules.motd},
      {"--signal-error", &config.rules.welcome_error},
      {"--advertise-version", &config.rules.advertised_version},
      {"--state", &config.state_file},
  };
  for (const auto& [name, place] : places) {
    const auto* given = text(name);
    if (given == nullptr) continue;
    auto parsed = parse_text(name, *given);
    if (!parsed) return tl::unexpected(parsed.error());
    *place = *std::move(parsed);
  }
  return {};
}

Result<void> MailboxArguments::convert_tls(Config& config) const {
  const auto* certificate = text("--tls-cert");
  const auto* key = text("--tls-key");
  if (certificate == nullptr) {
    if (key == nullptr) return {};
    return usage("--tls-key is given alone; expected is --tls-cert FILE with it");
  }
  if (certificate->empty()) return expected("--tls-cert", *certificate, "a file");
  if (key != nullptr && key->empty()) return expected("--tls-key", *key, "a file");
  config.tls = adapters::TlsFiles{*certificate, key == nullptr ? *certificate : *key};
  return {};
}

Result<void> MailboxArguments::convert_numbers(Config& config) const {
  for (const Limit& limit : kLimits) {
    const auto* given = text(limit.name);
    if (given == nullptr) continue;
    const auto value = parse_number(limit, *given);
    if (!value) {
      return expected(
          limit.name, *given,
          fmt::format("{} from {} to {}", noun(limit.unit), shown(limit.unit, limit.lowest),
                      shown(limit.unit, limit.highest)));
    }
    limit.set(config, *value);
  }
  // Whoever wants larger mailboxes need not know what follows from that.
  if (text("--max-backlog") == nullptr) {
    config.max_backlog = std::max(config.max_backlog, config.rules.max_octets_per_mailbox +
                                                          config.rules.max_octets_per_mailbox / 2);
  }
  if (text("--max-backlog-in-all") == nullptr) {
    config.max_backlog_in_all = std::max(config.max_backlog_in_all, config.max_backlog);
  }
  return check_together(config);
}

Result<Config> MailboxArguments::convert() const {
  Config config;
  for (const auto part : {&MailboxArguments::convert_endpoints, &MailboxArguments::convert_texts,
                          &MailboxArguments::convert_tls, &MailboxArguments::convert_numbers}) {
    if (auto done = (this->*part)(config); !done) return tl::unexpected(done.error());
  }
  config.rules.allow_list = !no_list_;
  config.behind_proxy = behind_proxy_;
  return config;
}

}  // namespace peersock::app
