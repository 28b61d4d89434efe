// The lower bound of the comparison: the least that a server of one room has to do, without limits, time-outs or checks.
// One loop; what came in during a turn is framed once and leaves with one send for each member.
// usage: floor PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MEMBERS = 1 << 16, INPUT = 1 << 18 };

struct member {
  int descriptor, place, is_open;
  char *input, *backlog;
  size_t input_length, backlog_length, backlog_capacity;
};

static struct member *members[MEMBERS], *named[MEMBERS];
static int member_count, poller;
static char *turn;
static size_t turn_length, turn_capacity;
static char input[INPUT + 1];

static void watch(struct member *one, uint32_t events, int operation) {
  struct epoll_event event = {.events = events, .data.ptr = one};
  epoll_ctl(poller, operation, one->descriptor, &event);
}

static void leave(struct member *one) {
  if (one->is_open) {
    members[one->place] = members[--member_count];
    members[one->place]->place = one->place;
  }
  for (int i = 0; i < 4096; i++)
    if (named[i] == one) named[i] = NULL;
  close(one->descriptor);
  free(one->input);
  free(one->backlog);
  free(one);
}

static void keep(struct member *one, const char *bytes, size_t length) {
  if (one->backlog_length + length > one->backlog_capacity)
    one->backlog = realloc(one->backlog, one->backlog_capacity = (one->backlog_length + length) * 2);
  memcpy(one->backlog + one->backlog_length, bytes, length);
  if (!one->backlog_length) watch(one, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
  one->backlog_length += length;
}

static void give(struct member *one, const char *bytes, size_t length) {
  ssize_t sent = one->backlog_length ? 0 : send(one->descriptor, bytes, length, MSG_NOSIGNAL);
  if (sent < 0) sent = 0;
  if ((size_t)sent < length) keep(one, bytes + sent, length - (size_t)sent);
}

static size_t head(char *to, size_t length) {
  to[0] = (char)0x81;
  if (length < 126) { to[1] = (char)length; return 2; }
  to[1] = 126;
  to[2] = (char)(length >> 8);
  to[3] = (char)length;
  return 4;
}

static void handle(struct member *one, char *text, size_t length) {
  static char frame[70000];
  if (length && text[0] == 'U') { named[atoi(text + 1) & 4095] = one; return; }
  if (length && text[0] == 'R') {
    struct member *to = named[atoi(text + 1) & 4095];
    size_t start = head(frame, length);
    memcpy(frame + start, text, length);
    if (to) give(to, frame, start + length);
    return;
  }
  if (turn_length + length + 4 > turn_capacity) turn = realloc(turn, turn_capacity = (turn_length + length + 4) * 2);
  turn_length += head(turn + turn_length, length);
  memcpy(turn + turn_length, text, length);
  turn_length += length;
}

static int open_up(struct member *one, char *request) {
  char text[96], accept[40], answer[256];
  unsigned char digest[20];
  char *key = strcasestr(request, "sec-websocket-key: ");
  if (!key) return 0;
  memcpy(text, key + 19, 24);
  memcpy(text + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 37);
  SHA1((unsigned char *)text, 60, digest);
  EVP_EncodeBlock((unsigned char *)accept, digest, 20);
  int length = snprintf(
      answer, sizeof answer,
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
      accept);
  give(one, answer, (size_t)length);
  one->is_open = 1;
  one->place = member_count;
  members[member_count++] = one;
  return 1;
}

static void receive(struct member *one) {
  if (one->input_length) memcpy(input, one->input, one->input_length);
  ssize_t got = recv(one->descriptor, input + one->input_length, INPUT - one->input_length, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) { leave(one); return; }
  size_t length = one->input_length + (size_t)got, at = 0;
  free(one->input);
  one->input = NULL;
  one->input_length = 0;
  if (!one->is_open) {
    input[length] = 0;
    char *end = strstr(input, "\r\n\r\n");
    if (end) {
      if (!open_up(one, input)) { leave(one); return; }
      at = (size_t)(end + 4 - input);
    }
  }
  while (one->is_open && length - at >= 6) {
    unsigned char *frame = (unsigned char *)input + at;
    size_t start = 6, size = frame[1] & 127;
    if (size == 126) {
      if (length - at < 8) break;
      size = (size_t)frame[2] << 8 | frame[3];
      start = 8;
    }
    if (length - at < start + size) break;
    if ((frame[0] & 15) == 8) { leave(one); return; }
    uint32_t key;
    memcpy(&key, frame + start - 4, 4);
    uint64_t wide = (uint64_t)key << 32 | key;
    char *text = (char *)frame + start;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
      uint64_t word;
      memcpy(&word, text + i, 8);
      word ^= wide;
      memcpy(text + i, &word, 8);
    }
    for (; i < size; i++) text[i] = (char)(text[i] ^ ((char *)&key)[i & 3]);
    handle(one, text, size);
    at += start + size;
  }
  if (at < length) {
    one->input = malloc(length - at);
    memcpy(one->input, input + at, length - at);
    one->input_length = length - at;
  }
}

static void drain(struct member *one) {
  ssize_t sent = send(one->descriptor, one->backlog, one->backlog_length, MSG_NOSIGNAL);
  if (sent <= 0) return;
  memmove(one->backlog, one->backlog + sent, one->backlog_length - (size_t)sent);
  one->backlog_length -= (size_t)sent;
  if (!one->backlog_length) watch(one, EPOLLIN, EPOLL_CTL_MOD);
}

int main(int argc, char **argv) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "0")),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) return perror("bind"), 1;
  poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[1024];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(poller, events, 1024, -1);
    for (int i = 0; i < count; i++) {
      struct member *one = events[i].data.ptr;
      if (!one) {
        for (int descriptor; (descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
          setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          one = calloc(1, sizeof *one);
          one->descriptor = descriptor;
          watch(one, EPOLLIN, EPOLL_CTL_ADD);
        }
        continue;
      }
      if (events[i].events & EPOLLOUT && one->backlog_length) drain(one);
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(one);
    }
    if (turn_length)
      for (int i = 0; i < member_count; i++) give(members[i], turn, turn_length);
    turn_length = 0;
  }
}
