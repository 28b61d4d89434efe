// uWebSockets as a room server, through the C interface of the library that the Python package socketify carries: no Python
// runs while it serves.
// usage: uwebsockets PORT LIBRARY
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The declarations of its interface that are used here.
struct context_options {
  const char *key_file_name, *cert_file_name, *passphrase, *dh_params_file_name, *ca_file_name, *ssl_ciphers;
  int ssl_prefer_low_memory_usage;
};
struct behavior {
  int compression;
  unsigned maximum_payload;
  unsigned short idle_timeout;
  unsigned maximum_backpressure;
  bool closes_on_backpressure, send_resets_idle, sends_pings;
  unsigned short maximum_lifetime;
  void *upgrade;
  void (*open)(void *, void *);
  void (*message)(void *, const char *, size_t, int, void *);
  void *drain, *ping, *pong;
  void (*close)(void *, int, const char *, size_t, void *);
  void *subscription;
};
struct listen_config {
  int port;
  const char *host;
  int options;
};
typedef void *(*create_app)(int, struct context_options);
typedef void (*run_app)(int, void *);
typedef void (*listen_app)(int, void *, struct listen_config, void (*)(void *, struct listen_config, void *), void *);
typedef void (*route)(int, void *, const char *, struct behavior, void *);
typedef bool (*publish_function)(int, void *, const char *, size_t, const char *, size_t, int, bool);
typedef bool (*subscribe_function)(int, void *, const char *, size_t);
typedef int (*send_function)(int, void *, const char *, size_t, int);

enum { TEXT = 1, NAMES = 4096, SHARED_COMPRESSOR = 1 };

static void *app, *library, *named[NAMES];
static bool compresses;
static publish_function publish;
static subscribe_function subscribe;
static send_function send_text;

static void *symbol(const char *name) {
  void *found = dlsym(library, name);
  if (!found) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return found;
}

static void opened(void *socket, void *data) {
  (void)data;
  subscribe(0, socket, "room", 4);
}

static void received(void *socket, const char *text, size_t length, int opcode, void *data) {
  (void)data;
  if (length && text[0] == 'U') {
    named[atoi(text + 1) % NAMES] = socket;
  } else if (length && text[0] == 'R') {
    void *to = named[atoi(text + 1) % NAMES];
    if (to) send_text(0, to, text, length, opcode);
  } else {
    publish(0, app, "room", 4, text, length, TEXT, compresses);
  }
}

static void closed(void *socket, int code, const char *text, size_t length, void *data) {
  (void)code, (void)text, (void)length, (void)data;
  for (int i = 0; i < NAMES; i++)
    if (named[i] == socket) named[i] = NULL;
}

static void listening(void *socket, struct listen_config config, void *data) {
  (void)config, (void)data;
  if (!socket) exit(1);
}

int main(int argc, char **argv) {
  library = argc > 2 ? dlopen(argv[2], RTLD_NOW | RTLD_GLOBAL) : NULL;
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
  compresses = argc > 3 && !strcmp(argv[3], "deflate");
  publish = (publish_function)symbol("uws_publish");
  subscribe = (subscribe_function)symbol("uws_ws_subscribe");
  send_text = (send_function)symbol("uws_ws_send");
  app = ((create_app)symbol("uws_create_app"))(0, (struct context_options){0});
  struct behavior behavior = {
      .compression = compresses ? SHARED_COMPRESSOR : 0, .maximum_payload = 1 << 16, .idle_timeout = 120,
      .maximum_backpressure = 1 << 20, .sends_pings = true, .open = opened, .message = received, .close = closed};
  ((route)symbol("uws_ws"))(0, app, "/room", behavior, NULL);
  struct listen_config config = {.port = atoi(argv[1]), .host = "127.0.0.1"};
  ((listen_app)symbol("uws_app_listen_with_config"))(0, app, config, listening, NULL);
  ((run_app)symbol("uws_app_run"))(0, app);
  return 0;
}
