#include "app/status_line.hpp"

#include <array>

#include <fmt/format.h>

#include "app/render_text.hpp"

namespace peersock::app {
namespace {

constexpr Duration kShortestInterval = 100ms;
constexpr std::size_t kFewestColumns = 20;

std::uint64_t rate(std::uint64_t before, std::uint64_t after, Duration elapsed) {
  if (after <= before) return 0;
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return static_cast<std::uint64_t>(static_cast<double>(after - before) / seconds);
}

std::string path_part(const LiveStatus& status) {
  if (!status.path) return "no path";
  std::string text = status.path->relayed ? "relayed" : "direct";
  if (status.round_trip) text += fmt::format(" {}", format_duration(*status.round_trip));
  return text;
}

std::string direction(std::string_view name, std::uint64_t total, std::uint64_t per_second,
                      bool with_rate) {
  std::string text = fmt::format(" | {} {}", name, format_bytes(total));
  if (with_rate) text += fmt::format(" at {}/s", format_bytes(per_second));
  return text;
}

}  // namespace

void RateMeter::sample(Traffic totals, Instant now) {
  if (last_ && now - *last_ < kShortestInterval) return;
  if (last_) {
    rate_ = {rate(totals_.sent, totals.sent, now - *last_),
             rate(totals_.received, totals.received, now - *last_)};
  }
  last_ = now;
  totals_ = totals;
}

std::string format_status(const LiveStatus& status, std::size_t columns) {
  if (columns < kFewestColumns) return {};
  const auto traffic = [&](std::string_view sent, std::string_view received, bool with_rate) {
    return direction(sent, status.totals.sent, status.per_second.sent, with_rate) +
           direction(received, status.totals.received, status.per_second.received, with_rate);
  };
  const std::string path = path_part(status);
  const std::string open = fmt::format(" | {} open", status.open_connections);
  const std::array<std::string, 5> layouts{
      path + open + traffic("sent", "received", true), path + open + traffic("up", "down", true),
      path + open + traffic("up", "down", false), path + open, path};
  for (const std::string& layout : layouts) {
    if (layout.size() <= columns) return layout;
  }
  return layouts.back().substr(0, columns);
}

}  // namespace peersock::app
