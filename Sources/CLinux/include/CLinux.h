#pragma once
// Linux calls that the Swift Glibc module does not show, or shows only to C that defines _GNU_SOURCE.
#include <malloc.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>

/// accept4(2).
int clinux_accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
/// Names the calling thread, for ps, top and gdb; at most 15 bytes count.
void clinux_name_thread(const char *name);
/// Whether something keeps the clock right, as far as the kernel knows: 0 yes, 1 no, -1 that cannot be told.
int clinux_clock_state(void);
/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `count` bytes, continuing from `crc` (0 to begin).
uint32_t clinux_crc32c(uint32_t crc, const void *bytes, size_t count);
/// The same on processors without an instruction for it.
uint32_t clinux_crc32c_by_tables(uint32_t crc, const void *bytes, size_t count);
