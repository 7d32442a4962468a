#include "adapters/tls_stream.hpp"

#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <gio/gio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

// GObject classes, as in metered_stream.cpp: C++ members are made and destroyed by hand.
namespace peersock::adapters {
namespace {

/// Shared by the stream and its two directions, each of which may outlive the others.
struct Tls {
  SslPtr ssl;
  GObjectPtr<GSocketConnection> base;
  GIOCondition read_wants = G_IO_IN;
  GIOCondition write_wants = G_IO_OUT;

  [[nodiscard]] GSocket* socket() const { return g_socket_connection_get_socket(base.get()); }
};
using TlsPtr = std::shared_ptr<Tls>;

/// What an attempt came to, in GIO's terms; `wants` is what to wait for when it would block.
gssize conclude(Tls& tls, int result, std::size_t done, GIOCondition& wants, GError** error) {
  if (result == 1) return static_cast<gssize>(done);
  const int system_error = errno;
  switch (SSL_get_error(tls.ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
      wants = G_IO_IN;
      break;
    case SSL_ERROR_WANT_WRITE:
      wants = G_IO_OUT;
      break;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      g_set_error(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "the connection broke (%s)",
                  g_strerror(system_error));
      return -1;
    default:
      g_set_error(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "TLS failed: %s",
                  take_openssl_error().c_str());
      return -1;
  }
  g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "not ready");
  return -1;
}

GSource* source_for(GObject* stream, Tls& tls, GIOCondition wants, bool ready,
                    GCancellable* cancellable) {
  GSource* base = g_socket_create_source(tls.socket(), wants, nullptr);
  GSource* source = g_pollable_source_new_full(stream, base, cancellable);
  g_source_unref(base);
  // What was decrypted already makes no socket readable.
  if (ready) g_source_set_ready_time(source, 0);
  return source;
}

// --- input

struct TlsInput {
  GInputStream parent;
  TlsPtr* tls;
};
struct TlsInputClass {
  GInputStreamClass parent;
};

void tls_input_pollable_init(GPollableInputStreamInterface* interface);
G_DEFINE_TYPE_WITH_CODE(TlsInput, tls_input, G_TYPE_INPUT_STREAM,
                        G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_INPUT_STREAM,
                                              tls_input_pollable_init))

Tls& input_tls(gpointer stream) {
  return **static_cast<TlsInput*>(stream)->tls;
}

gssize read_now(gpointer stream, void* buffer, gsize count, GError** error) {
  Tls& tls = input_tls(stream);
  tls.read_wants = G_IO_IN;
  std::size_t got = 0;
  ERR_clear_error();
  errno = 0;
  const int result = SSL_read_ex(tls.ssl.get(), buffer, count, &got);
  return conclude(tls, result, got, tls.read_wants, error);
}

gssize input_read(GInputStream* stream, void* buffer, gsize count, GCancellable* /*cancellable*/,
                  GError** error) {
  return read_now(stream, buffer, count, error);
}
gssize input_read_nonblocking(GPollableInputStream* stream, void* buffer, gsize count,
                              GError** error) {
  return read_now(stream, buffer, count, error);
}

gboolean input_can_poll(GPollableInputStream* /*stream*/) {
  return TRUE;
}

gboolean input_is_readable(GPollableInputStream* stream) {
  const Tls& tls = input_tls(stream);
  if (SSL_pending(tls.ssl.get()) > 0) return TRUE;
  return g_socket_condition_check(tls.socket(), tls.read_wants) != 0 ? TRUE : FALSE;
}

GSource* input_create_source(GPollableInputStream* stream, GCancellable* cancellable) {
  Tls& tls = input_tls(stream);
  return source_for(G_OBJECT(stream), tls, tls.read_wants, SSL_pending(tls.ssl.get()) > 0,
                    cancellable);
}

void tls_input_pollable_init(GPollableInputStreamInterface* interface) {
  interface->can_poll = input_can_poll;
  interface->is_readable = input_is_readable;
  interface->create_source = input_create_source;
  interface->read_nonblocking = input_read_nonblocking;
}

void tls_input_init(TlsInput* self) {
  self->tls = new TlsPtr;
}

void tls_input_finalize(GObject* object) {
  delete reinterpret_cast<TlsInput*>(object)->tls;
  G_OBJECT_CLASS(tls_input_parent_class)->finalize(object);
}

void tls_input_class_init(TlsInputClass* type) {
  G_OBJECT_CLASS(type)->finalize = tls_input_finalize;
  G_INPUT_STREAM_CLASS(type)->read_fn = input_read;
}

// --- output

struct TlsOutput {
  GOutputStream parent;
  TlsPtr* tls;
};
struct TlsOutputClass {
  GOutputStreamClass parent;
};

void tls_output_pollable_init(GPollableOutputStreamInterface* interface);
G_DEFINE_TYPE_WITH_CODE(TlsOutput, tls_output, G_TYPE_OUTPUT_STREAM,
                        G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_OUTPUT_STREAM,
                                              tls_output_pollable_init))

Tls& output_tls(gpointer stream) {
  return **static_cast<TlsOutput*>(stream)->tls;
}

gssize write_now(gpointer stream, const void* buffer, gsize count, GError** error) {
  if (count == 0) return 0;
  Tls& tls = output_tls(stream);
  tls.write_wants = G_IO_OUT;
  std::size_t taken = 0;
  ERR_clear_error();
  errno = 0;
  const int result = SSL_write_ex(tls.ssl.get(), buffer, count, &taken);
  return conclude(tls, result, taken, tls.write_wants, error);
}

gssize output_write(GOutputStream* stream, const void* buffer, gsize count,
                    GCancellable* /*cancellable*/, GError** error) {
  return write_now(stream, buffer, count, error);
}
gssize output_write_nonblocking(GPollableOutputStream* stream, const void* buffer, gsize count,
                                GError** error) {
  return write_now(stream, buffer, count, error);
}

gboolean output_can_poll(GPollableOutputStream* /*stream*/) {
  return TRUE;
}

gboolean output_is_writable(GPollableOutputStream* stream) {
  const Tls& tls = output_tls(stream);
  return g_socket_condition_check(tls.socket(), tls.write_wants) != 0 ? TRUE : FALSE;
}

GSource* output_create_source(GPollableOutputStream* stream, GCancellable* cancellable) {
  Tls& tls = output_tls(stream);
  return source_for(G_OBJECT(stream), tls, tls.write_wants, false, cancellable);
}

void tls_output_pollable_init(GPollableOutputStreamInterface* interface) {
  interface->can_poll = output_can_poll;
  interface->is_writable = output_is_writable;
  interface->create_source = output_create_source;
  interface->write_nonblocking = output_write_nonblocking;
}

void tls_output_init(TlsOutput* self) {
  self->tls = new TlsPtr;
}

void tls_output_finalize(GObject* object) {
  delete reinterpret_cast<TlsOutput*>(object)->tls;
  G_OBJECT_CLASS(tls_output_parent_class)->finalize(object);
}

void tls_output_class_init(TlsOutputClass* type) {
  G_OBJECT_CLASS(type)->finalize = tls_output_finalize;
  G_OUTPUT_STREAM_CLASS(type)->write_fn = output_write;
}

// --- both

struct TlsStream {
  GIOStream parent;
  GInputStream* input;
  GOutputStream* output;
  TlsPtr* tls;
};
struct TlsStreamClass {
  GIOStreamClass parent;
};

G_DEFINE_TYPE(TlsStream, tls_stream, G_TYPE_IO_STREAM)

TlsStream* stream_of(gpointer stream) {
  return static_cast<TlsStream*>(stream);
}

GInputStream* stream_input(GIOStream* stream) {
  return stream_of(stream)->input;
}
GOutputStream* stream_output(GIOStream* stream) {
  return stream_of(stream)->output;
}

gboolean stream_close(GIOStream* stream, GCancellable* cancellable, GError** error) {
  Tls& tls = **stream_of(stream)->tls;
  // Says goodbye if there is room for that; nobody waits for the answer.
  ERR_clear_error();
  if (SSL_is_init_finished(tls.ssl.get()) == 1) SSL_shutdown(tls.ssl.get());
  ERR_clear_error();
  return g_io_stream_close(G_IO_STREAM(tls.base.get()), cancellable, error);
}

// The base class would call stream_close from another thread.
void stream_close_async(GIOStream* stream, int priority, GCancellable* cancellable,
                        GAsyncReadyCallback callback, gpointer data) {
  GObjectPtr<GTask> task(g_task_new(stream, cancellable, callback, data));
  g_task_set_priority(task.get(), priority);
  GError* error = nullptr;
  if (stream_close(stream, cancellable, &error) != FALSE) {
    g_task_return_boolean(task.get(), TRUE);
  } else {
    g_task_return_error(task.get(), error);
  }
}

gboolean stream_close_finish(GIOStream* /*stream*/, GAsyncResult* result, GError** error) {
  return g_task_propagate_boolean(G_TASK(result), error);
}

void tls_stream_init(TlsStream* self) {
  self->tls = new TlsPtr;
}

void tls_stream_finalize(GObject* object) {
  TlsStream* self = stream_of(object);
  g_object_unref(self->input);
  g_object_unref(self->output);
  delete self->tls;
  G_OBJECT_CLASS(tls_stream_parent_class)->finalize(object);
}

void tls_stream_class_init(TlsStreamClass* type) {
  G_OBJECT_CLASS(type)->finalize = tls_stream_finalize;
  GIOStreamClass* io = G_IO_STREAM_CLASS(type);
  io->get_input_stream = stream_input;
  io->get_output_stream = stream_output;
  io->close_fn = stream_close;
  io->close_async = stream_close_async;
  io->close_finish = stream_close_finish;
}

tl::unexpected<Error> refuse(const std::string& file, std::string_view what) {
  return fail(ErrorKind::kUsage, fmt::format("{}: {}", file, what));
}

/// A passphrase has no place to be typed in.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) noexcept {
  return -1;
}

}  // namespace

Result<SslContextPtr> load_tls_server(const std::string& certificate_file,
                                      const std::string& key_file) {
  for (const std::string* file : {&certificate_file, &key_file}) {
    errno = 0;
    const BioPtr readable(BIO_new_file(file->c_str(), "r"));
    const int system_error = errno;
    ERR_clear_error();
    if (!readable) {
      return refuse(*file,
                    fmt::format("can not be read ({}); give a PEM file", g_strerror(system_error)));
    }
  }
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context) return fail(ErrorKind::kInternal, "no TLS context: " + take_openssl_error());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    ERR_clear_error();
    return refuse(certificate_file, "holds no certificate; give a PEM file with the whole chain");
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    ERR_clear_error();
    if (other) {
      return refuse(key_file,
                    fmt::format("is not the key of the certificate in {}", certificate_file));
    }
    return refuse(key_file,
                  "holds no private key that can be used; give one in PEM without a "
                  "passphrase");
  }
  return context;
}

GObjectPtr<GIOStream> make_tls_stream(GSocketConnection* base, SSL_CTX* context) {
  auto tls = std::make_shared<Tls>();
  tls->ssl.reset(SSL_new(context));
  tls->base = share(base);
  if (!tls->ssl || SSL_set_fd(tls->ssl.get(), g_socket_get_fd(tls->socket())) != 1) return nullptr;
  SSL_set_accept_state(tls->ssl.get());
  auto* input = static_cast<TlsInput*>(g_object_new(tls_input_get_type(), nullptr));
  *input->tls = tls;
  auto* output = static_cast<TlsOutput*>(g_object_new(tls_output_get_type(), nullptr));
  *output->tls = tls;
  auto* stream = static_cast<TlsStream*>(g_object_new(tls_stream_get_type(), nullptr));
  stream->input = G_INPUT_STREAM(input);
  stream->output = G_OUTPUT_STREAM(output);
  *stream->tls = std::move(tls);
  return GObjectPtr<GIOStream>(G_IO_STREAM(stream));
}

}  // namespace peersock::adapters
