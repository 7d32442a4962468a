#include "app/code_input.hpp"

#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <glib.h>
#include <unistd.h>

namespace peersock::app {

Result<Secret> read_code_line(int descriptor) {
  Bytes line;
  // Reserved in full, so that no part of the code stays behind in a buffer that was outgrown.
  line.reserve(wire::kMaxTypedCodeLength + 1);
  while (line.size() <= wire::kMaxTypedCodeLength) {
    std::uint8_t octet = 0;
    const ssize_t got = read(descriptor, &octet, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return fail(ErrorKind::kUsage,
                  fmt::format("--code-fd {} cannot be read: {}; expected is an open file with the "
                              "code on its first line",
                              descriptor, g_strerror(errno)));
    }
    if (got == 0 || octet == '\n') break;
    line.push_back(octet);
  }
  Secret code(std::move(line));
  if (code.empty()) {
    return fail(ErrorKind::kUsage,
                fmt::format("--code-fd {} gave no code; expected is the code on the first line",
                            descriptor));
  }
  return code;
}

Result<std::optional<wire::Code>> choose_code(const Options& options,
                                              const Environment& environment) {
  const auto parsed = [](const Secret& typed) -> Result<std::optional<wire::Code>> {
    auto code = wire::parse_code(typed.reveal_text());
    if (!code) return tl::unexpected(std::move(code.error()));
    return std::optional<wire::Code>(std::move(*code));
  };
  if (options.code) return parsed(*options.code);
  if (options.code_fd) {
    const auto line = read_code_line(*options.code_fd);
    return line ? parsed(*line) : tl::unexpected(line.error());
  }
  if (environment.code) return parsed(*environment.code);
  return std::nullopt;
}

}  // namespace peersock::app
