#include "app/run_session.hpp"

#include <utility>

#include <unistd.h>

#include "adapters/clock.hpp"
#include "adapters/glib_host.hpp"
#include "adapters/short_slices.hpp"
#include "adapters/wakeup.hpp"
#include "app/code_input.hpp"
#include "app/descriptor_limit.hpp"
#include "app/event_printer.hpp"
#include "app/ice_config.hpp"
#include "app/loop.hpp"
#include "wormhole/client_errors.hpp"

namespace peersock::app {
namespace {

constexpr Duration kStatusInterval = 500ms;
/// Each connection has one; more than the usual limit of 1024 are no reason to refuse any.
constexpr rlim_t kDescriptors = 65'536;

wire::Mode mode_of(Command command) {
  switch (command) {
    case Command::kConnect:
      return wire::Mode::kConnect;
    case Command::kStdioA:
      return wire::Mode::kStdioA;
    case Command::kStdioB:
      return wire::Mode::kStdioB;
    case Command::kListen:
    case Command::kMailbox:
    case Command::kDoctor:
      break;
  }
  return wire::Mode::kListen;
}

/// A status line on the terminal that also shows the data would tear it.
bool wants_status(const Options& options) {
  const bool stdio = options.command == Command::kStdioA || options.command == Command::kStdioB;
  return options.verbosity != Verbosity::kQuiet && !(stdio && isatty(STDOUT_FILENO) == 1);
}

Result<adapters::GlibHostConfig> host_config(Options& options, const Environment& environment,
                                             EventPrinter& printer) {
  // The code is read first: a mistyped one is refused before anything touches the network.
  auto code = choose_code(options, environment);
  if (!code) return tl::unexpected(code.error());
  auto loaded = load_settings(std::move(options.settings), options.config_file, environment);
  if (!loaded) return tl::unexpected(loaded.error());
  for (auto& warning : loaded->warnings) printer.show(event::Warning{std::move(warning)});
  const std::size_t servers = loaded->settings.rendezvous_urls.size();
  if (*code && (*code)->server() > servers) {
    return tl::unexpected(wormhole::server_not_configured((*code)->server(), servers));
  }

  adapters::GlibHostConfig config;
  config.peer.mode = mode_of(options.command);
  config.peer.code = std::move(*code);
  config.peer.rendezvous_servers = std::move(loaded->settings.rendezvous_urls);
  config.peer.software = "peersock " PEERSOCK_VERSION;
  config.peer.peer_timeout = options.timeout;
  config.peer.once = options.once;
  config.peer.ice.relay = options.relay;
  config.peer.ice.has_relay = !loaded->settings.turn_host.empty();
  config.peer.ice.has_stun = !loaded->settings.stun_host.empty();
  config.endpoint = options.endpoint;
  config.engine = loaded->settings.engine;
  config.congestion = loaded->settings.congestion;
  config.port_search = loaded->settings.port_search;
  config.ice = ice_config(options.relay, loaded->settings);
  return config;
}

/// Draws the status line at intervals.
class StatusTicker {
 public:
  StatusTicker(GMainContext* context, EventPrinter& printer, const adapters::GlibHost& host)
      : printer_(printer), host_(host), timer_(context, [this] { tick(); }) {
    if (printer_.live()) timer_.after(kStatusInterval);
  }

 private:
  void tick() {
    const auto status = host_.status();
    const Traffic totals{status.totals.sent, status.totals.received};
    meter_.sample(totals, adapters::monotonic_now());
    if (status.path) {
      printer_.show_status(
          {status.path, status.round_trip, status.open_connections, totals, meter_.per_second()});
    }
    timer_.after(kStatusInterval);
  }

  EventPrinter& printer_;
  const adapters::GlibHost& host_;
  RateMeter meter_;
  adapters::Wakeup timer_;
};

ExitCode fail_early(EventPrinter& printer, const Error& error) {
  printer.show(event::Failed{error});
  printer.show(event::Ended{exit_code(error.kind)});
  return exit_code(error.kind);
}

}  // namespace

ExitCode run_session(Options& options, const Environment& environment) {
  EventPrinter printer(options.json, options.verbosity, wants_status(options));
  auto config = host_config(options, environment, printer);
  if (!config) return fail_early(printer, config.error());

  (void)raise_descriptor_limit(kDescriptors);
  adapters::ask_for_short_slices();
  Loop loop;
  std::optional<ExitCode> code;
  auto host = adapters::GlibHost::create(
      loop.context(), std::move(*config),
      {[&](const Event& event) { printer.show(event); }, [&](ExitCode ended) { code = ended; }});
  if (!host) return fail_early(printer, host.error());
  if (options.trace) (*host)->set_trace([&](const TraceStep& step) { printer.show(step); });
  // A signal may also come while the loop settles, when the host has gone.
  loop.on_interrupt([&] {
    if (*host) (*host)->interrupt();
  });
  {
    const StatusTicker ticker(loop.context(), printer, **host);
    (*host)->start();
    loop.run_until([&] { return code.has_value(); });
  }
  printer.clear_status();
  host->reset();
  loop.settle();
  return *code;
}

}  // namespace peersock::app
