#include "app/config_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <glib.h>
#include <sys/stat.h>

#include "app/printable.hpp"

namespace peersock::app {
namespace {

struct KeyFileFree {
  void operator()(GKeyFile* file) const { g_key_file_free(file); }
};
struct GFree {
  void operator()(char* text) const { g_free(text); }
};
struct StrvFree {
  void operator()(char** list) const { g_strfreev(list); }
};
struct FileClose {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};
using KeyFile = std::unique_ptr<GKeyFile, KeyFileFree>;
using Text = std::unique_ptr<char, GFree>;
using TextList = std::unique_ptr<char*, StrvFree>;

/// Puts a parsed value in its place; gives the error, if any.
template <typename T>
std::optional<Error> put(std::optional<T>& place, Result<T> value) {
  if (!value) return std::move(value.error());
  place = std::move(*value);
  return std::nullopt;
}

struct Key {
  std::string_view group;
  std::string_view name;
  std::optional<Error> (*read)(SettingsLayer&, std::string_view origin, std::string_view text);
};

/// The only key with a list; GKeyFile writes ';' between the elements.
constexpr std::string_view kListKey = "url";

using View = std::string_view;
constexpr std::array<Key, 13> kKeys{{
    {"ice", "port-search",
     [](SettingsLayer& l, View o, View t) { return put(l.port_search, parse_port_search(o, t)); }},
    {"ice", "stun",
     [](SettingsLayer& l, View o, View t) { return put(l.stun_host, parse_server(o, t)); }},
    {"ice", "stun-port",
     [](SettingsLayer& l, View o, View t) { return put(l.stun_port, parse_port(o, t)); }},
    {"ice", "turn",
     [](SettingsLayer& l, View o, View t) { return put(l.turn_host, parse_server(o, t)); }},
    {"ice", "turn-port",
     [](SettingsLayer& l, View o, View t) { return put(l.turn_port, parse_port(o, t)); }},
    {"ice", "turn-user",
     [](SettingsLayer& l, View o, View t) { return put(l.turn_user, parse_turn_user(o, t)); }},
    {"ice", "turn-password",
     [](SettingsLayer& l, View o, View t) {
       return put(l.turn_password, parse_turn_password(o, t));
     }},
    {"ice", "turn-transport",
     [](SettingsLayer& l, View o, View t) {
       return put(l.turn_transports, parse_turn_transports(o, t));
     }},
    {"ice", "path",
     [](SettingsLayer& l, View o, View t) { return put(l.path, parse_path_policy(o, t)); }},
    {"network", "proxy",
     [](SettingsLayer& l, View o, View t) { return put(l.proxies, parse_proxy(o, t)); }},
    {"quic", "congestion",
     [](SettingsLayer& l, View o, View t) { return put(l.congestion, parse_congestion(o, t)); }},
    {"quic", "engine",
     [](SettingsLayer& l, View o, View t) { return put(l.engine, parse_engine(o, t)); }},
    // A list: read_list has it.
    {"rendezvous", kListKey, nullptr},
}};

Error usage(std::string_view path, std::string_view what) {
  return {ErrorKind::kUsage, fmt::format("{}: {}", excerpt(path, 200), what)};
}

std::string known_groups() {
  std::string list;
  std::string_view last;
  for (const Key& key : kKeys) {
    if (key.group == last) continue;
    list += fmt::format("{}[{}]", list.empty() ? "" : " or ", key.group);
    last = key.group;
  }
  return list;
}

std::string_view trim(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r\f\v";
  const std::size_t first = line.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlank) - first + 1);
}

/// The first line that a key file cannot have, with what is wrong. GLib's own message repeats the
/// line, which may hold a password.
std::string first_bad_line(std::string_view text) {
  bool in_group = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      in_group = true;
      if (line.back() == ']' && line.size() > 2) continue;
      return fmt::format("line {} begins a group that does not end; expected is {}", number,
                         known_groups());
    }
    if (line.find('=') == std::string_view::npos || line.front() == '=') {
      return fmt::format(
          "line {} is not understood; expected is \"key = value\", \"[group]\" or "
          "\"# comment\"",
          number);
    }
    if (!in_group) {
      return fmt::format("line {} comes before any group; expected is {} above it", number,
                         known_groups());
    }
  }
  return "it is not a configuration file; expected are groups and keys as in [ice] stun = HOST";
}

/// GLib could not read the value.
Error bad_value(std::string_view origin) {
  return {
      ErrorKind::kUsage,
      fmt::format("{} is not valid; expected is UTF-8 text with no other escapes than \\s, \\n, "
                  "\\t, \\r and \\\\",
                  origin)};
}

std::string known_keys(std::string_view group) {
  std::string list;
  for (const Key& key : kKeys) {
    if (key.group == group) list += fmt::format("{}{}", list.empty() ? "" : ", ", key.name);
  }
  return list;
}

std::optional<Error> read_list(SettingsLayer& layer, std::string_view origin, GKeyFile* file,
                               const char* group, const char* name) {
  GError* problem = nullptr;
  const TextList values(g_key_file_get_string_list(file, group, name, nullptr, &problem));
  const bool valid = values != nullptr && problem == nullptr;
  g_clear_error(&problem);
  if (!valid) return bad_value(origin);
  std::vector<std::string> texts;
  for (char** value = values.get(); *value != nullptr; ++value) texts.emplace_back(trim(*value));
  if (texts.size() > 1 && texts.back().empty()) texts.pop_back();  // "a; "
  return put(layer.rendezvous_urls, parse_rendezvous_urls(origin, texts));
}

std::optional<Error> read_key(SettingsLayer& layer, std::string_view path, GKeyFile* file,
                              const char* group, const char* name) {
  const std::string origin = fmt::format("{}: [{}] {}", excerpt(path, 200), group, excerpt(name));
  for (const Key& key : kKeys) {
    if (key.group != group || key.name != name) continue;
    if (key.name == kListKey) return read_list(layer, origin, file, group, name);
    GError* problem = nullptr;
    const Text value(g_key_file_get_string(file, group, name, &problem));
    // With a bad escape there is a value as well.
    const bool valid = value != nullptr && problem == nullptr;
    g_clear_error(&problem);
    if (!valid) return bad_value(origin);
    // Blanks that are seen by nobody are an error of nobody's; in a password they may be meant.
    const std::string_view text(value.get());
    auto error = key.read(layer, origin, key.name == "turn-password" ? text : trim(text));
    wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(value.get()), std::strlen(value.get())));
    return error;
  }
  return Error{ErrorKind::kUsage, fmt::format("{} is not a known key; expected is one of {}",
                                              origin, known_keys(group))};
}

std::optional<Error> read_group(SettingsLayer& layer, std::string_view path, GKeyFile* file,
                                const char* group) {
  if (known_keys(group).empty()) {
    return usage(path, fmt::format("[{}] is not a known group; expected is {}", excerpt(group),
                                   known_groups()));
  }
  const TextList keys(g_key_file_get_keys(file, group, nullptr, nullptr));
  for (char** key = keys.get(); key != nullptr && *key != nullptr; ++key) {
    if (auto error = read_key(layer, path, file, group, *key)) return error;
  }
  return std::nullopt;
}

/// What a file on disk holds, and whether others than its owner may read it.
struct Content {
  std::string text;
  bool others_read = false;
};

tl::unexpected<Error> unreadable(const std::string& path) {
  return tl::unexpected(
      usage(path, fmt::format("the configuration file cannot be read: {}", g_strerror(errno))));
}

Result<std::optional<Content>> read_file(const std::string& path, Presence presence) {
  const std::unique_ptr<std::FILE, FileClose> file(std::fopen(path.c_str(), "re"));
  if (!file) {
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    if (absent && presence == Presence::kOptional) return std::nullopt;
    return unreadable(path);
  }
  struct stat status {};
  if (fstat(fileno(file.get()), &status) != 0) return unreadable(path);
  Content content;
  content.others_read = (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
  content.text.resize(kMaxConfigFile + 1);
  const std::size_t size = std::fread(content.text.data(), 1, content.text.size(), file.get());
  if (std::ferror(file.get()) != 0) return unreadable(path);
  if (size > kMaxConfigFile) {
    return tl::unexpected(usage(
        path, fmt::format("the configuration file is longer than {} octets; expected is a short "
                          "one",
                          kMaxConfigFile)));
  }
  content.text.resize(size);
  return content;
}

}  // namespace

Result<SettingsLayer> parse_config(std::string_view path, std::string_view text) {
  const KeyFile file(g_key_file_new());
  // GLib takes no empty text without a pointer, and stops at a NUL without saying so. It leaves out
  // "key[de]" unless told not to.
  const bool loaded =
      text.find('\0') == std::string_view::npos &&
      (text.empty() || g_key_file_load_from_data(file.get(), text.data(), text.size(),
                                                 G_KEY_FILE_KEEP_TRANSLATIONS, nullptr) != 0);
  if (!loaded) return tl::unexpected(usage(path, first_bad_line(text)));
  SettingsLayer layer;
  const TextList groups(g_key_file_get_groups(file.get(), nullptr));
  for (char** group = groups.get(); *group != nullptr; ++group) {
    if (auto error = read_group(layer, path, file.get(), *group)) {
      return tl::unexpected(std::move(*error));
    }
  }
  return layer;
}

Result<ConfigFile> read_config_file(const std::string& path, Presence presence) {
  auto content = read_file(path, presence);
  if (!content) return tl::unexpected(std::move(content.error()));
  ConfigFile config;
  if (!*content) return config;
  auto layer = parse_config(path, (*content)->text);
  wipe((*content)->text);
  if (!layer) return tl::unexpected(std::move(layer.error()));
  config.layer = std::move(*layer);
  const auto& proxies = config.layer.proxies;
  const bool has_password = config.layer.turn_password ||
                            (proxies && proxies->plain && !proxies->plain->credentials.empty());
  if (has_password && (*content)->others_read) {
    config.warnings.push_back(fmt::format(
        "{} holds a password and can be read by others; run chmod 600 on it", excerpt(path, 200)));
  }
  return config;
}

}  // namespace peersock::app
