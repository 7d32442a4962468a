#include "adapters/resolver.hpp"

#include <algorithm>
#include <utility>

#include "adapters/glib_ptr.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {
namespace {

std::vector<std::string> texts_of(GList* addresses) {
  std::vector<std::string> texts;
  for (const GList* item = addresses; item != nullptr; item = item->next) {
    if (texts.size() == kMaxResolvedAddresses) break;
    const GCharPtr text(g_inet_address_to_string(G_INET_ADDRESS(item->data)));
    if (std::find(texts.begin(), texts.end(), text.get()) == texts.end()) {
      texts.emplace_back(text.get());
    }
  }
  return texts;
}

class SystemLookup : public std::enable_shared_from_this<SystemLookup> {
 public:
  SystemLookup(GMainContext* context, ResolveHandler handler)
      : context_(context),
        handler_(std::move(handler)),
        cancellable_(g_cancellable_new()),
        timer_(context, [this] { expire(); }) {}

  void answer_numeric(const std::string& host) {
    answer_ = std::vector<std::string>{host};
    timer_.soon();
  }

  void start(const std::string& host, Duration timeout) {
    answer_ = tl::unexpected<std::string>("no answer came in time");
    timer_.after(timeout);
    const GObjectPtr<GResolver> resolver(g_resolver_get_default());
    const ThreadDefault here(context_);
    // GIO answers in any case, also when the lookup has been given up; until then it holds us.
    auto* held = new std::shared_ptr<SystemLookup>(shared_from_this());
    g_resolver_lookup_by_name_async(resolver.get(), host.c_str(), cancellable_.get(), &on_answer,
                                    held);
  }

  void abandon() {
    handler_ = nullptr;
    timer_.cancel();
    g_cancellable_cancel(cancellable_.get());
  }

 private:
  static void on_answer(GObject* resolver, GAsyncResult* result, gpointer held) noexcept {
    const std::unique_ptr<std::shared_ptr<SystemLookup>> self(
        static_cast<std::shared_ptr<SystemLookup>*>(held));
    GError* raw_error = nullptr;
    GList* addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &raw_error);
    const ErrorPtr error(raw_error);
    auto texts = texts_of(addresses);
    g_resolver_free_addresses(addresses);
    if (!texts.empty()) {
      (*self)->finish(std::move(texts));
    } else {
      (*self)->finish(tl::unexpected<std::string>(error ? error->message : "it has no address"));
    }
  }

  void expire() {
    g_cancellable_cancel(cancellable_.get());
    finish(std::move(answer_));
  }

  void finish(ResolveResult result) {
    timer_.cancel();
    const ResolveHandler handler = std::exchange(handler_, nullptr);
    if (handler) handler(std::move(result));
  }

  GMainContext* context_;
  ResolveHandler handler_;
  GObjectPtr<GCancellable> cancellable_;
  Wakeup timer_;
  ResolveResult answer_;
};

/// What the user of a lookup holds.
class Handle {
 public:
  explicit Handle(std::shared_ptr<SystemLookup> lookup) : lookup_(std::move(lookup)) {}
  ~Handle() { lookup_->abandon(); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle(Handle&&) = delete;
  Handle& operator=(Handle&&) = delete;

 private:
  std::shared_ptr<SystemLookup> lookup_;
};

}  // namespace

bool is_numeric_address(const std::string& host) {
  return g_hostname_is_ip_address(host.c_str()) != FALSE;
}

Resolver make_system_resolver(GMainContext* context) {
  return [context](const std::string& host, Duration timeout, ResolveHandler handler) -> Lookup {
    auto lookup = std::make_shared<SystemLookup>(context, std::move(handler));
    if (is_numeric_address(host)) {
      lookup->answer_numeric(host);
    } else {
      lookup->start(host, timeout);
    }
    return std::make_shared<Handle>(std::move(lookup));
  };
}

}  // namespace peersock::adapters
