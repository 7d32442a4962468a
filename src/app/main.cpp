// peersock: joins two processes on two machines with nothing but a short code.
#include <cstdlib>
#include <iostream>

#include <malloc.h>
#include <sys/resource.h>

#include "adapters/stdio_channel.hpp"
#include "app/event_printer.hpp"
#include "app/options.hpp"
#include "app/run_doctor.hpp"
#include "app/run_mailbox.hpp"
#include "app/run_session.hpp"
#include "app/settings.hpp"

namespace {

using namespace peersock;       // NOLINT(google-build-using-namespace)
using namespace peersock::app;  // NOLINT(google-build-using-namespace)

/// A core file would hold the code and keys.
void protect_process() {
  adapters::prepare_standard_streams();
  const rlimit none{0, 0};
  static_cast<void>(setrlimit(RLIMIT_CORE, &none));
}

/// What a transfer holds comes and goes with every turn of the loop. Giving it back to the system
/// each time, and having it zeroed by the next page fault, was a fifth of a receiver's time.
void keep_freed_memory() {
  constexpr int kKept = 4 * 1024 * 1024;
  static_cast<void>(mallopt(M_TRIM_THRESHOLD, kKept));
}

ExitCode run(int argc, char** argv) {
  Environment environment = take_environment(&std::getenv);
  auto command_line = parse_command_line(argc, argv);
  if (!command_line) {
    EventPrinter printer(asks_for_json(argc, argv), Verbosity::kNormal, false);
    printer.show(event::Failed{command_line.error()});
    printer.show(event::Ended{exit_code(command_line.error().kind)});
    return exit_code(command_line.error().kind);
  }
  if (const auto* information = std::get_if<Information>(&*command_line)) {
    std::cout << information->text << std::flush;
    return ExitCode::kDone;
  }
  auto& options = std::get<Options>(*command_line);
  if (options.command == Command::kMailbox) return run_mailbox(options);
  if (options.command == Command::kDoctor) return run_doctor(options, environment);
  return run_session(options, environment);
}

}  // namespace

int main(int argc, char** argv) {
  protect_process();
  keep_freed_memory();
  return static_cast<int>(run(argc, argv));
}
