// What a user can set in more than one place, and which place wins: command line over environment
// over configuration file over default (docs/spec/cli.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/values.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"

namespace peersock::app {

/// What one place says; absent: it says nothing.
struct SettingsLayer {
  std::optional<std::vector<std::string>> rendezvous_urls;  ///< not empty
  std::optional<std::string> stun_host;                     ///< empty: no STUN
  std::optional<std::uint16_t> stun_port;
  std::optional<std::string> turn_host;  ///< empty: no TURN
  std::optional<std::uint16_t> turn_port;
  std::optional<std::string> turn_user;
  std::optional<Secret> turn_password;
  std::optional<TurnTransports> turn_transports;
  std::optional<wire::ProxyRules> proxies;
  std::optional<adapters::QuicEngine> engine;
  std::optional<adapters::Congestion> congestion;
  std::optional<bool> port_search;
  std::optional<adapters::PathPolicy> path;
};

struct Settings {
  std::vector<std::string> rendezvous_urls;  ///< in the order in which they are tried; not empty
  std::string stun_host;                     ///< empty: no STUN
  std::uint16_t stun_port = 0;
  std::string turn_host;  ///< empty: no TURN
  std::uint16_t turn_port = 0;
  std::string turn_user;
  Secret turn_password;
  TurnTransports turn_transports;
  wire::ProxyRules proxies;
  adapters::QuicEngine engine = adapters::kDefaultQuicEngine;
  adapters::Congestion congestion = adapters::kDefaultCongestion;
  bool port_search = true;
  adapters::PathPolicy path = adapters::PathPolicy::kAuto;
};

/// One of the variables in which others have their proxy, too.
struct ProxyVariable {
  std::string name;
  Secret value;
};

/// The variables that peersock reads; empty ones count as not set.
struct Environment {
  std::optional<Secret> code;                ///< PEERSOCK_CODE
  std::optional<std::string> rendezvous;     ///< PEERSOCK_RENDEZVOUS
  std::optional<Secret> turn_password;       ///< PEERSOCK_TURN_PASSWORD
  std::optional<Secret> proxy;               ///< PEERSOCK_PROXY
  std::optional<ProxyVariable> http_proxy;   ///< http_proxy, never in capitals (as curl)
  std::optional<ProxyVariable> https_proxy;  ///< https_proxy or HTTPS_PROXY
  std::optional<ProxyVariable> all_proxy;    ///< all_proxy or ALL_PROXY
  std::optional<std::string> no_proxy;       ///< no_proxy or NO_PROXY
  std::optional<std::string> engine;         ///< PEERSOCK_ENGINE
  std::optional<std::string> congestion;     ///< PEERSOCK_CONGESTION
  std::optional<std::string> path;           ///< PEERSOCK_PATH
  std::optional<std::string> config_home;    ///< XDG_CONFIG_HOME
  std::optional<std::string> home;           ///< HOME
};

/// `get` is std::getenv or a stand-in. The values that may hold secrets are overwritten where they
/// stand, so that neither children nor /proc show them.
[[nodiscard]] Environment take_environment(char* (*get)(const char* name));

/// The environment as a layer. Errors are kUsage.
[[nodiscard]] Result<SettingsLayer> environment_layer(const Environment& environment);

/// The weakest layer: the proxies in the variables of others. One that is none of ours is a
/// warning.
[[nodiscard]] SettingsLayer standard_proxies(const Environment& environment,
                                             std::vector<std::string>& warnings);

/// $XDG_CONFIG_HOME/peersock.conf or ~/.config/peersock.conf (XDG Base Directory Specification:
/// relative paths are ignored); nothing when there is no home either.
[[nodiscard]] std::optional<std::string> default_config_path(const Environment& environment);

[[nodiscard]] Settings default_settings();

/// Strongest first.
[[nodiscard]] Settings merge(std::vector<SettingsLayer> layers);

struct LoadedSettings {
  Settings settings;
  std::vector<std::string> warnings;
};
/// Reads the file that `config_file` names, or the default one if there is one, and merges.
[[nodiscard]] Result<LoadedSettings> load_settings(SettingsLayer command_line,
                                                   const std::optional<std::string>& config_file,
                                                   const Environment& environment);

}  // namespace peersock::app
