#include "app/settings.hpp"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <utility>

#include "app/config_file.hpp"
#include "app/conversion.hpp"

namespace peersock::app {
namespace {

constexpr const char* kCodeVariable = "PEERSOCK_CODE";
constexpr const char* kRendezvousVariable = "PEERSOCK_RENDEZVOUS";
constexpr const char* kTurnPasswordVariable = "PEERSOCK_TURN_PASSWORD";
constexpr const char* kProxyVariable = "PEERSOCK_PROXY";
constexpr const char* kEngineVariable = "PEERSOCK_ENGINE";
constexpr const char* kPathVariable = "PEERSOCK_PATH";
constexpr const char* kCongestionVariable = "PEERSOCK_CONGESTION";

constexpr const char* kDefaultRendezvous = "ws://relay.magic-wormhole.io:4000/v1";
constexpr const char* kDefaultIceServer = "freestun.net";
constexpr std::uint16_t kDefaultIcePort = 3479;
constexpr const char* kDefaultTurnUser = "free";
constexpr std::string_view kDefaultTurnPassword = "free";

using Getter = char* (*)(const char*);

std::optional<std::string> variable(Getter get, const char* name) {
  const char* value = get(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::optional<Secret> secret_variable(Getter get, const char* name) {
  char* value = get(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  Secret secret{std::string_view(value)};
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(value), std::strlen(value)));
  return secret;
}

/// The first of them that is set.
std::optional<ProxyVariable> proxy_variable(Getter get, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (auto value = secret_variable(get, name)) return ProxyVariable{name, std::move(*value)};
  }
  return std::nullopt;
}

std::shared_ptr<const wire::HttpProxy> standard_proxy(const std::optional<ProxyVariable>& own,
                                                      const std::optional<ProxyVariable>& all,
                                                      std::vector<std::string>& warnings) {
  const auto& variable = own ? own : all;
  if (!variable) return nullptr;
  auto proxy = wire::parse_http_proxy(variable->value.reveal_text());
  if (proxy) return std::make_shared<const wire::HttpProxy>(std::move(*proxy));
  std::string warning = variable->name +
                        " holds no proxy of a kind that peersock can use (http://HOST:PORT); going "
                        "on without it";
  if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) {
    warnings.push_back(std::move(warning));
  }
  return nullptr;
}

template <typename T>
void take(T& setting, std::optional<T>& value) {
  if (value) setting = std::move(*value);
}

void apply(Settings& settings, SettingsLayer& layer) {
  take(settings.rendezvous_urls, layer.rendezvous_urls);
  take(settings.stun_host, layer.stun_host);
  take(settings.stun_port, layer.stun_port);
  take(settings.turn_host, layer.turn_host);
  take(settings.turn_port, layer.turn_port);
  take(settings.turn_user, layer.turn_user);
  take(settings.turn_password, layer.turn_password);
  take(settings.turn_transports, layer.turn_transports);
  take(settings.proxies, layer.proxies);
  take(settings.engine, layer.engine);
  take(settings.congestion, layer.congestion);
  take(settings.port_search, layer.port_search);
  take(settings.path, layer.path);
}

}  // namespace

Environment take_environment(Getter get) {
  Environment environment;
  environment.code = secret_variable(get, kCodeVariable);
  environment.rendezvous = variable(get, kRendezvousVariable);
  environment.turn_password = secret_variable(get, kTurnPasswordVariable);
  environment.proxy = secret_variable(get, kProxyVariable);
  environment.http_proxy = proxy_variable(get, {"http_proxy"});
  environment.https_proxy = proxy_variable(get, {"https_proxy", "HTTPS_PROXY"});
  environment.all_proxy = proxy_variable(get, {"all_proxy", "ALL_PROXY"});
  environment.no_proxy = variable(get, "no_proxy");
  if (!environment.no_proxy) environment.no_proxy = variable(get, "NO_PROXY");
  environment.engine = variable(get, kEngineVariable);
  environment.congestion = variable(get, kCongestionVariable);
  environment.path = variable(get, kPathVariable);
  environment.config_home = variable(get, "XDG_CONFIG_HOME");
  environment.home = variable(get, "HOME");
  return environment;
}

Result<SettingsLayer> environment_layer(const Environment& environment) {
  SettingsLayer layer;
  Conversion conversion;
  conversion.read(layer.rendezvous_urls, kRendezvousVariable, environment.rendezvous,
                  split_rendezvous_urls);
  conversion.read(layer.turn_password, kTurnPasswordVariable, environment.turn_password,
                  [](const char* name, const Secret& password) {
                    return parse_turn_password(name, password.reveal_text());
                  });
  conversion.read(
      layer.proxies, kProxyVariable, environment.proxy,
      [](const char* name, const Secret& proxy) { return parse_proxy(name, proxy.reveal_text()); });
  conversion.read(layer.engine, kEngineVariable, environment.engine, parse_engine);
  conversion.read(layer.congestion, kCongestionVariable, environment.congestion, parse_congestion);
  conversion.read(layer.path, kPathVariable, environment.path, parse_path_policy);
  if (conversion.error()) return tl::unexpected(*conversion.error());
  return layer;
}

SettingsLayer standard_proxies(const Environment& environment, std::vector<std::string>& warnings) {
  SettingsLayer layer;
  layer.proxies.emplace();
  layer.proxies->plain = standard_proxy(environment.http_proxy, environment.all_proxy, warnings);
  layer.proxies->secure = standard_proxy(environment.https_proxy, environment.all_proxy, warnings);
  return layer;
}

std::optional<std::string> default_config_path(const Environment& environment) {
  constexpr const char* kName = "/peersock.conf";
  if (environment.config_home && environment.config_home->front() == '/') {
    return *environment.config_home + kName;
  }
  if (environment.home) return *environment.home + "/.config" + kName;
  return std::nullopt;
}

Settings default_settings() {
  Settings settings;
  settings.rendezvous_urls = {kDefaultRendezvous};
  settings.stun_host = kDefaultIceServer;
  settings.stun_port = kDefaultIcePort;
  settings.turn_host = kDefaultIceServer;
  settings.turn_port = kDefaultIcePort;
  settings.turn_user = kDefaultTurnUser;
  settings.turn_password = Secret(kDefaultTurnPassword);
  return settings;
}

Settings merge(std::vector<SettingsLayer> layers) {
  Settings settings = default_settings();
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) apply(settings, *layer);
  return settings;
}

Result<LoadedSettings> load_settings(SettingsLayer command_line,
                                     const std::optional<std::string>& config_file,
                                     const Environment& environment) {
  auto variables = environment_layer(environment);
  if (!variables) return tl::unexpected(std::move(variables.error()));
  ConfigFile file;
  if (const auto path = config_file ? config_file : default_config_path(environment)) {
    auto read = read_config_file(*path, config_file ? Presence::kRequired : Presence::kOptional);
    if (!read) return tl::unexpected(std::move(read.error()));
    file = std::move(*read);
  }
  const bool has_proxy = command_line.proxies || variables->proxies || file.layer.proxies;
  std::vector<SettingsLayer> layers;
  layers.push_back(std::move(command_line));
  layers.push_back(std::move(*variables));
  layers.push_back(std::move(file.layer));
  if (!has_proxy) layers.push_back(standard_proxies(environment, file.warnings));
  LoadedSettings loaded{merge(std::move(layers)), std::move(file.warnings)};
  loaded.settings.proxies.exceptions = wire::NoProxy(environment.no_proxy.value_or(""));
  return loaded;
}

}  // namespace peersock::app
