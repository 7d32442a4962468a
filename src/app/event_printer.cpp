#include "app/event_printer.hpp"

#include <cerrno>
#include <cstdio>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

#include "app/render_doctor.hpp"
#include "app/render_json.hpp"
#include "app/render_mailbox.hpp"

namespace peersock::app {
namespace {

constexpr std::size_t kDefaultColumns = 80;
// Carriage return, then "erase to the end of the line" (ECMA-48, EL).
constexpr std::string_view kStartOver = "\r\x1b[K";

/// Nothing useful can be done when standard error itself fails.
void write_error(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(STDERR_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::size_t columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultColumns;
  return size.ws_col;
}

}  // namespace

EventPrinter::EventPrinter(bool json, Verbosity verbosity, bool live)
    : json_(json), verbosity_(verbosity), live_(live && !json && isatty(STDERR_FILENO) == 1) {}

EventPrinter::~EventPrinter() {
  clear_status();
}

void EventPrinter::line(const std::string& text) {
  clear_status();
  write_error(text + "\n");
}

template <typename Fact>
void EventPrinter::render(const Fact& fact) {
  if (json_) return line(render_json(fact));
  if (const auto text = render_text(fact, verbosity_)) line(*text);
}

void EventPrinter::show(const Event& event) {
  render(event);
}

void EventPrinter::show(const TraceStep& step) {
  line(json_ ? render_json(step) : format_trace(step));
}

void EventPrinter::show(const adapters::MailboxFact& fact) {
  render(fact);
}

void EventPrinter::show(const DoctorFact& fact) {
  render(fact);
}

void EventPrinter::show_status(const LiveStatus& status) {
  if (!live_) return;
  // One column is left free: a full line makes some terminals wrap.
  write_error(std::string(kStartOver) + format_status(status, columns() - 1));
  status_shown_ = true;
}

void EventPrinter::clear_status() {
  if (!status_shown_) return;
  status_shown_ = false;
  write_error(kStartOver);
}

}  // namespace peersock::app
