// The one client program of the comparison: it drives a server of any of three dialects, counts what arrives, and reads
// the server's CPU clock around the part that is measured. One thread, one epoll, one line of JSON at the end.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { STASH = 48, TARGET = 24 };
enum state { CLOSED, CONNECTING, UPGRADING, GREETING, READY };
// room: text goes to everybody, "U7" names the connection, "R7 …" goes to that one. nchan: what is sent to /pub is heard on
// /sub. rollcall: the protocol of this repository.
enum dialect { ROOM, NCHAN, ROLLCALL };

struct connection {
  int descriptor;
  enum state state;
  // Of the frame under way: what has come of its beginning, and what of its end is still to come.
  unsigned stashed;
  uint64_t due;
  char stash[STASH];
  char peer[TARGET];
};

static struct connection *connections;
static int count, poller;
static enum dialect dialect;
static const char *join_mode = "none", *session = "bench";
static int joins = 1, is_relay, is_ping, is_publisher_apart;
static struct sockaddr_in address;
static struct connection publisher;
static uint64_t delivered, bytes_received, reads, ended, ready;
static char buffer[1 << 20];
static char message[70000];
static size_t message_length;
static clockid_t server_clock;
static int server;

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static double seconds_of(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time)) fail("clock_gettime");
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double now(void) { return seconds_of(CLOCK_MONOTONIC); }

static long resident(void) {
  char path[64];
  long total, pages = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", server);
  FILE *file = fopen(path, "r");
  if (!file || fscanf(file, "%ld %ld", &total, &pages) != 2) fail(path);
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

// Frames to the server; the masking key is fixed, so that a text is masked once however often it is sent.
static size_t frame(char *to, const char *text, size_t length) {
  static const unsigned char key[4] = {0x37, 0xfa, 0x21, 0x3d};
  size_t head = 2;
  to[0] = (char)0x81;
  if (length < 126) {
    to[1] = (char)(0x80 | length);
  } else {
    to[1] = (char)(0x80 | 126);
    to[2] = (char)(length >> 8);
    to[3] = (char)length;
    head = 4;
  }
  memcpy(to + head, key, 4);
  for (size_t i = 0; i < length; i++) to[head + 4 + i] = (char)(text[i] ^ key[i & 3]);
  return head + 4 + length;
}

static void write_all(struct connection *to, const char *bytes, size_t length) {
  while (length) {
    ssize_t sent = send(to->descriptor, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) fail("send");
    if (sent < 0) { usleep(200); continue; }
    bytes += sent;
    length -= (size_t)sent;
  }
}

static void say(struct connection *to, const char *format, ...) {
  static char text[70000], bytes[70016];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  write_all(to, bytes, frame(bytes, text, (size_t)length));
}

static void dial(struct connection *one) {
  one->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (one->descriptor < 0) fail("socket");
  int on = 1;
  setsockopt(one->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(one->descriptor, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) fail("connect");
  one->state = CONNECTING;
  one->stashed = 0;
  one->due = 0;
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = one};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, one->descriptor, &event)) fail("epoll_ctl");
}

static void hang_up(struct connection *one) {
  close(one->descriptor);
  if (one->state == READY) ready--;
  one->state = CLOSED;
}

static void upgrade(struct connection *one) {
  char request[512];
  const char *path = dialect == ROLLCALL ? "/ws" : dialect == ROOM ? "/room" : one == &publisher ? "/pub" : "/sub";
  int length = snprintf(
      request, sizeof request,
      "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
      path, ntohs(address.sin_port), dialect == ROLLCALL ? "Sec-WebSocket-Protocol: rollcall.v1\r\n" : "");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
  epoll_ctl(poller, EPOLL_CTL_MOD, one->descriptor, &event);
  write_all(one, request, (size_t)length);
  one->state = UPGRADING;
}

static void become_ready(struct connection *one) {
  one->state = READY;
  ready++;
}

static void opened(struct connection *one) {
  if (dialect == ROLLCALL && joins) {
    one->state = GREETING;
    say(one, "{\"type\":\"hello\",\"guest\":\"Guest %d\"}", (int)(one - connections));
    if (joins > 1)
      say(one, "{\"type\":\"session.join\",\"session\":\"%s\",\"presence\":\"%s\"}", session, join_mode);
    return;
  }
  if (is_relay) say(one, "U%d", (int)(one - connections));
  become_ready(one);
}

static int begins(const char *text, size_t length, const char *with) {
  size_t wanted = strlen(with);
  return length >= wanted && !memcmp(text, with, wanted);
}

static void relay_back(struct connection *one);

// A frame has begun to come in: `text` is its first bytes.
static void began(struct connection *one, const char *text, size_t length) {
  if (dialect != ROLLCALL) {
    delivered++;
    if (is_relay) relay_back(one);
    return;
  }
  if (!begins(text, length, "{\"type\":\"")) return;
  text += 9;
  length -= 9;
  if (begins(text, length, "chat.message")) delivered++;
  else if (begins(text, length, is_ping ? "pong" : "signal")) { delivered++; relay_back(one); }
  else if (one->state == GREETING && begins(text, length, joins > 1 ? "session.joined" : "ready")) become_ready(one);
  else if (begins(text, length, "error")) { fprintf(stderr, "refused: %.*s\n", (int)length, text); exit(1); }
}

static void find_peer(struct connection *one, const char *bytes, size_t length) {
  const char *found = is_relay && dialect == ROLLCALL ? memmem(bytes, length, "\"peer\":\"", 8) : NULL;
  if (!found || found + 8 + TARGET > bytes + length) return;
  size_t size = strcspn(found + 8, "\"");
  if (size >= TARGET || one->peer[0]) return;
  memcpy(one->peer, found + 8, size);
}

static void take(struct connection *one, const char *bytes, size_t length) {
  while (length) {
    if (one->due) {
      uint64_t skipped = one->due < length ? one->due : length;
      one->due -= skipped;
      bytes += skipped;
      length -= skipped;
      continue;
    }
    // The beginning of a frame is put together in the stash: head, and enough of the payload to tell what it is.
    char *stash = one->stash;
    unsigned wanted = 2;
    uint64_t payload = 0;
    unsigned head = 2;
    for (;;) {
      while (one->stashed < wanted && length) { stash[one->stashed++] = *bytes++; length--; }
      if (one->stashed < wanted) return;
      payload = (unsigned char)stash[1] & 127;
      head = payload == 126 ? 4 : payload == 127 ? 10 : 2;
      if (one->stashed < head) { wanted = head; continue; }
      if (head == 4) payload = (uint64_t)(unsigned char)stash[2] << 8 | (unsigned char)stash[3];
      if (head == 10) {
        payload = 0;
        for (int i = 2; i < 10; i++) payload = payload << 8 | (unsigned char)stash[i];
      }
      unsigned whole = payload < STASH - 10 ? head + (unsigned)payload : head + STASH - 10;
      if (one->stashed >= whole) break;
      wanted = whole;
    }
    unsigned known = one->stashed - head;
    one->due = payload - known;
    one->stashed = 0;
    if ((stash[0] & 15) == 8) { ended++; return; }
    if ((stash[0] & 15) == 1) began(one, stash + head, known);
  }
}

static void receive(struct connection *one) {
  ssize_t length = recv(one->descriptor, buffer, sizeof buffer - 1, 0);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0) { ended++; hang_up(one); return; }
  bytes_received += (uint64_t)length;
  reads++;
  char *bytes = buffer;
  if (one->state == UPGRADING) {
    buffer[length] = 0;
    char *end = strstr(buffer, "\r\n\r\n");
    if (!end) return;
    if (strncmp(buffer, "HTTP/1.1 101", 12)) { fprintf(stderr, "%.200s\n", buffer); exit(1); }
    length -= end + 4 - buffer;
    bytes = end + 4;
    opened(one);
  }
  find_peer(one, bytes, (size_t)length);
  take(one, bytes, (size_t)length);
}

static void turn(int timeout) {
  struct epoll_event events[512];
  int n = epoll_wait(poller, events, 512, timeout);
  for (int i = 0; i < n; i++) {
    struct connection *one = events[i].data.ptr;
    if (one->state == CLOSED) continue;
    if (one->state == CONNECTING && events[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) upgrade(one);
    else if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(one);
  }
}

static void connect_all(int upto, int at_once) {
  double limit = now() + 120;
  uint64_t before = ready;
  for (int next = 0; ready - before < (uint64_t)upto;) {
    while (next < upto && (uint64_t)next - (ready - before) < (uint64_t)at_once) dial(&connections[next++]);
    turn(10);
    if (now() > limit || ended) { fprintf(stderr, "only %lu of %d are in, %lu ended\n", ready, upto, ended); exit(1); }
  }
  if (is_publisher_apart) {
    dial(&publisher);
    while (publisher.state != READY) turn(10);
  }
}

static void settle(double seconds) {
  for (double end = now() + seconds; now() < end;) turn(5);
}

static void prepare(size_t bytes, const char *target) {
  static char filler[60000], text[70000];
  memset(filler, 'x', bytes);
  filler[bytes] = 0;
  if (dialect != ROLLCALL) snprintf(text, sizeof text, "%s%s%s%s", target ? "R" : "", target ? target : "", target ? " " : "", filler);
  else if (target)
    snprintf(text, sizeof text, "{\"type\":\"signal\",\"to\":\"%s\",\"kind\":\"candidate\",\"payload\":\"%s\"}", target, filler);
  else snprintf(text, sizeof text, "{\"type\":\"chat.send\",\"text\":\"%s\"}", filler);
  message_length = frame(message, text, strlen(text));
}

// Pairs send one message back and forth: 2k and 2k + 1 are a pair.
static char *relays;
static size_t *relay_lengths;
static int is_relaying;
static void relay_back(struct connection *one) {
  if (!is_relaying) return;
  size_t index = (size_t)(one - connections);
  write_all(one, relays + index * 2048, relay_lengths[index]);
}

// What the server has allocated so far, where something counts that.
static const volatile uint64_t *allocations;

static void watch_allocations(const char *path) {
  int file = open(path, O_RDONLY);
  void *shared = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *allocations, PROT_READ, MAP_SHARED, file, 0);
  if (shared == MAP_FAILED) fail(path);
  allocations = shared;
}

static double allocated(void) { return allocations ? (double)*allocations : 0; }

static void report(const char *key, double value, int is_last) {
  printf("\"%s\": %.9g%s", key, value, is_last ? "}\n" : ", ");
}

// Everything that was sent to everybody has arrived, or 10 seconds have gone by without.
static void await_delivery(uint64_t goal) {
  for (double limit = now() + 10; delivered < goal;) {
    uint64_t before = delivered;
    turn(10);
    if (delivered > before) limit = now() + 10;
    if (now() > limit) { fprintf(stderr, "%lu of %lu arrived\n", delivered, goal); exit(1); }
  }
}

// One member sends: at a rate, or as much as `window` messages that have not reached everybody.
static void fan_out(double rate, int window, double seconds) {
  struct connection *sender = is_publisher_apart ? &publisher : &connections[0];
  uint64_t sent = 0, members = (uint64_t)count;
  double begin = 0, cpu = 0, own = 0;
  uint64_t base = 0, reads_before = 0, sent_before = 0;
  double heap = 0;
  // The first fifth warms up.
  for (int part = 0; part < 2; part++) {
    double start = now(), length = part ? seconds : seconds / 4, paced = 0;
    if (part) {
      begin = start;
      cpu = seconds_of(server_clock);
      own = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
      base = delivered;
      reads_before = reads;
      sent_before = sent;
      heap = allocated();
    }
    while (now() - start < length) {
      if (rate > 0) {
        while (paced < (now() - start) * rate && sent * members < delivered + 2000 * members) {
          write_all(sender, message, message_length);
          sent++;
          paced++;
        }
      } else {
        while (sent * members < delivered + (uint64_t)window * members) {
          write_all(sender, message, message_length);
          sent++;
        }
      }
      turn(1);
    }
  }
  cpu = seconds_of(server_clock) - cpu;
  own = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - own;
  double elapsed = now() - begin, got = (double)(delivered - base);
  heap = allocated() - heap;
  double messages = (double)(sent - sent_before);
  await_delivery(sent * members);
  printf("{");
  report("allocations_per_message", heap / messages, 0);
  report("deliveries", got, 0);
  report("deliveries_with_warm_up", (double)delivered, 0);
  report("per_second", got / elapsed, 0);
  report("cpu_seconds", cpu, 0);
  report("load_cpu_seconds", own, 0);
  report("deliveries_per_read", got / (double)(reads_before ? reads - reads_before : reads), 0);
  report("us_each", cpu * 1e6 / got, 1);
}

// Every member sends one message, all at once; the next round begins when all have all.
static void all_at_once(double seconds) {
  uint64_t members = (uint64_t)count, rounds = 0;
  double cpu = 0, start = 0;
  for (double end = 0; rounds < 2 || now() < end; rounds++) {
    if (rounds == 1) { start = now(); end = start + seconds; cpu = seconds_of(server_clock); }
    for (int i = 0; i < count; i++) write_all(&connections[i], message, message_length);
    await_delivery((rounds + 1) * members * members);
  }
  cpu = seconds_of(server_clock) - cpu;
  double got = (double)((rounds - 1) * members * members);
  printf("{");
  report("deliveries", got, 0);
  report("per_second", got / (now() - start), 0);
  report("cpu_seconds", cpu, 0);
  report("us_each", cpu * 1e6 / got, 1);
}

static void relay(size_t bytes, double seconds) {
  relays = malloc((size_t)count * 2048);
  relay_lengths = calloc((size_t)count, sizeof *relay_lengths);
  for (int i = 0; i < count; i++) {
    char number[16];
    snprintf(number, sizeof number, "%d", i ^ 1);
    if (is_ping) message_length = frame(message, "{\"type\":\"ping\"}", 15);
    else prepare(bytes, dialect == ROLLCALL ? connections[i ^ 1].peer : number);
    memcpy(relays + (size_t)i * 2048, message, message_length);
    relay_lengths[i] = message_length;
  }
  settle(0.3);
  // What a server does that nobody speaks to.
  double idle = allocated();
  if (allocations) settle(2);
  idle = (allocated() - idle) / 2;
  is_relaying = 1;
  for (int i = 0; i < count; i += is_ping ? 1 : 2) relay_back(&connections[i]);
  settle(seconds / 4);
  // Where allocations are counted, what grows must have grown, and there must be enough to count, however slow the machine.
  double limit = now() + 30;
  while (allocations && delivered < 600 * (uint64_t)count && now() < limit) settle(0.1);
  double cpu = seconds_of(server_clock), start = now(), heap = allocated();
  uint64_t before = delivered;
  settle(seconds);
  limit = now() + 30;
  while (allocations && delivered < before + 5000 && now() < limit) settle(0.1);
  cpu = seconds_of(server_clock) - cpu;
  double hops = (double)(delivered - before), elapsed = now() - start;
  heap = allocated() - heap;
  printf("{");
  report("allocations_per_message", (heap - idle * elapsed) / hops, 0);
  report("hops", hops, 0);
  report("deliveries_with_warm_up", (double)delivered, 0);
  report("per_second", hops / elapsed, 0);
  report("us_each", cpu * 1e6 / hops, 1);
}

// Opens and drops connections, so many at a time.
static void handshakes(int at_once) {
  int total = count;
  double cpu = 0;
  for (int done = 0, round = 0; done < total; round++) {
    if (round == 1) { settle(0.05); cpu = seconds_of(server_clock); done = 0; }
    connect_all(at_once, at_once);
    for (int i = 0; i < at_once; i++) hang_up(&connections[i]);
    done += at_once;
    if (!round) done = 0;
  }
  settle(0.05);
  cpu = seconds_of(server_clock) - cpu;
  printf("{");
  report("us_each", cpu * 1e6 / total, 1);
}

static void idle(int at_once, double seconds) {
  long before = resident();
  double cpu = seconds_of(server_clock), start = now();
  connect_all(count, at_once);
  double opened_in = now() - start;
  settle(seconds);
  cpu = seconds_of(server_clock) - cpu;
  printf("{");
  report("resident_each", (double)(resident() - before) / count, 0);
  report("seconds", opened_in, 0);
  report("us_each", cpu * 1e6 / count, 0);
  report("bytes_received_each", (double)bytes_received / count, 1);
}

static double option(int argc, char **argv, const char *name, double otherwise) {
  size_t length = strlen(name);
  for (int i = 5; i < argc; i++)
    if (!strncmp(argv[i], name, length) && argv[i][length] == '=') return atof(argv[i] + length + 1);
  return otherwise;
}

static const char *text_option(int argc, char **argv, const char *name, const char *otherwise) {
  size_t length = strlen(name);
  for (int i = 5; i < argc; i++)
    if (!strncmp(argv[i], name, length) && argv[i][length] == '=') return argv[i] + length + 1;
  return otherwise;
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fputs("usage: load fanout|burst|relay|ping|handshake|idle room|nchan|rollcall PORT PID [members= rate= window= bytes= "
          "seconds= join=0|1|2 presence= session= concurrency= counter=]\n", stderr);
    return 2;
  }
  const char *measure = argv[1];
  dialect = !strcmp(argv[2], "rollcall") ? ROLLCALL : !strcmp(argv[2], "nchan") ? NCHAN : ROOM;
  address = (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  server = atoi(argv[4]);
  if ((errno = clock_getcpuclockid(server, &server_clock))) fail("clock_getcpuclockid");
  count = (int)option(argc, argv, "members", 500);
  double seconds = option(argc, argv, "seconds", 3);
  int at_once = (int)option(argc, argv, "concurrency", 64);
  joins = (int)option(argc, argv, "join", 2);
  join_mode = text_option(argc, argv, "presence", "none");
  session = text_option(argc, argv, "session", "bench");
  size_t bytes = (size_t)option(argc, argv, "bytes", 128);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const char *counter = text_option(argc, argv, "counter", NULL);
  if (counter) watch_allocations(counter);
  is_ping = !strcmp(measure, "ping");
  poller = epoll_create1(0);
  connections = calloc((size_t)(count < at_once ? at_once : count), sizeof *connections);
  is_relay = is_ping || !strcmp(measure, "relay");
  if (!strcmp(measure, "handshake")) { joins = 0; handshakes(at_once); return 0; }
  if (!strcmp(measure, "idle")) { idle(at_once, seconds); return 0; }
  is_publisher_apart = dialect == NCHAN;
  connect_all(count, at_once);
  settle(0.5);
  delivered = 0;
  prepare(bytes, NULL);
  if (is_relay) relay(bytes, seconds);
  else if (!strcmp(measure, "burst")) all_at_once(seconds);
  else fan_out(option(argc, argv, "rate", 0), (int)option(argc, argv, "window", 64), seconds);
  return 0;
}
