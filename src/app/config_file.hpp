// The configuration file: GKeyFile, with the groups and keys that docs/spec/cli.md lists and no
// others, so that a misspelt key does not go unnoticed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings.hpp"
#include "core/error.hpp"

namespace peersock::app {

/// Octets of the largest file that is read.
inline constexpr std::size_t kMaxConfigFile = std::size_t{64} * 1024;

struct ConfigFile {
  SettingsLayer layer;
  std::vector<std::string> warnings;
};

enum class Presence : std::uint8_t {
  kRequired,  ///< the user named the file
  kOptional,  ///< the default place; a file that is not there says nothing
};

/// Errors are kUsage and name file, group, key and what is expected. Warns of a file that holds a
/// password and can be read by others.
[[nodiscard]] Result<ConfigFile> read_config_file(const std::string& path, Presence presence);

/// The same for text that has been read; `path` is for errors only.
[[nodiscard]] Result<SettingsLayer> parse_config(std::string_view path, std::string_view text);

}  // namespace peersock::app
