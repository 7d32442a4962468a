// Shows events on standard error: as text or JSON lines, with a live status line on terminals.
#pragma once

#include <string>

#include "adapters/mailbox_facts.hpp"
#include "app/doctor_facts.hpp"
#include "app/options.hpp"
#include "app/render_text.hpp"
#include "app/status_line.hpp"
#include "core/event.hpp"
#include "core/runner.hpp"

namespace peersock::app {

class EventPrinter {
 public:
  /// `live` asks for the status line; it is only drawn where standard error is a terminal and the
  /// output is text.
  EventPrinter(bool json, Verbosity verbosity, bool live);
  EventPrinter(const EventPrinter&) = delete;
  EventPrinter& operator=(const EventPrinter&) = delete;
  EventPrinter(EventPrinter&&) = delete;
  EventPrinter& operator=(EventPrinter&&) = delete;
  ~EventPrinter();

  void show(const Event& event);
  void show(const TraceStep& step);
  void show(const adapters::MailboxFact& fact);
  void show(const DoctorFact& fact);
  /// Redraws the status line.
  void show_status(const LiveStatus& status);
  void clear_status();
  [[nodiscard]] bool live() const { return live_; }

 private:
  void line(const std::string& text);
  template <typename Fact>
  void render(const Fact& fact);

  bool json_;
  Verbosity verbosity_;
  bool live_;
  bool status_shown_ = false;
};

}  // namespace peersock::app
