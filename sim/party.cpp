#include "party.hpp"

#include <stdexcept>
#include <utility>

namespace peersock::sim {

Party::~Party() {
  if (!session_) return;
  host_.run([this] { session_.reset(); });
}

void Party::start(adapters::GlibHostConfig config) {
  record_.started = now();
  host_.run([&] {
    auto made = adapters::GlibHost::create(host_.context(), std::move(config),
                                           {[this](const Event& event) { on_event(event); },
                                            [this](ExitCode exit) {
                                              record_.exit = exit;
                                              record_.ended = now();
                                              if (callbacks_.ended) callbacks_.ended();
                                            }});
    if (!made) throw std::runtime_error(made.error().message);
    session_ = std::move(*made);
    if (trace_ || callbacks_.entered) {
      session_->set_trace([this](const TraceStep& step) {
        if (trace_) trace_(format_trace(step));
        if (callbacks_.entered) callbacks_.entered(step.machine, step.state_after);
      });
    }
    session_->start();
  });
}

void Party::interrupt() {
  if (!session_ || record_.exit) return;
  host_.run([this] { session_->interrupt(); });
}

void Party::on_event(const Event& event) {
  if (const auto* code = std::get_if<event::CodeMade>(&event)) {
    if (callbacks_.code_made) callbacks_.code_made(code->code);
  } else if (const auto* chosen = std::get_if<event::PathChosen>(&event)) {
    record_.path = chosen->path;
  } else if (std::holds_alternative<event::Authenticated>(event)) {
    record_.authenticated = now();
  } else if (std::holds_alternative<event::Listening>(event)) {
    if (!std::exchange(record_.listening, now()) && callbacks_.listening) callbacks_.listening();
  } else if (std::holds_alternative<event::ConnectionOpened>(event)) {
    if (!record_.authenticated) record_.opened_too_early = true;
  } else if (const auto* failed = std::get_if<event::Failed>(&event)) {
    record_.failure = failed->error;
  } else if (const auto* warning = std::get_if<event::Warning>(&event)) {
    record_.warnings.push_back(warning->message);
  }
}

}  // namespace peersock::sim
