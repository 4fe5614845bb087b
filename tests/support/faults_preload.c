/* Loaded before all else into a server under test (LD_PRELOAD), it makes fail what a machine seldom
 * does when a test wants it to: memory, accept4(2), the realtime clock. Every call that is not to
 * fail goes on to glibc. Any thread. */
#define _GNU_SOURCE
#include "tests/support/faults_preload.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static struct faults *faults;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv(FAULTS_FILE);
  const int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
  void *mapped;
  if (file < 0) return;
  mapped = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) __atomic_store_n(&faults, (struct faults *)mapped, __ATOMIC_RELEASE);
}

static struct faults *asked(void) { return __atomic_load_n(&faults, __ATOMIC_ACQUIRE); }
static int64_t get(const int64_t *field) { return __atomic_load_n(field, __ATOMIC_SEQ_CST); }
static int64_t count(int64_t *field) { return __atomic_add_fetch(field, 1, __ATOMIC_SEQ_CST); }

/* ---- memory */

static int is_to_fail(size_t size) {
  struct faults *now = asked();
  int64_t first;
  int64_t octets;
  int fails = 0;
  if (now == NULL) return 0;
  first = get(&now->fail_at);
  octets = get(&now->fail_octets);
  if (first > 0) {
    const int64_t number = count(&now->allocations);
    fails = number >= first && number < first + get(&now->fail_count);
  }
  if (octets > 0 && size >= (size_t)octets) fails = 1;
  if (!fails) return 0;
  count(&now->failed);
  errno = ENOMEM;
  return 1;
}

void *malloc(size_t size) { return is_to_fail(size) ? NULL : __libc_malloc(size); }

void *calloc(size_t number, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(number, size, &total)) total = SIZE_MAX;
  return is_to_fail(total) ? NULL : __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
  return size > 0 && is_to_fail(size) ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
  return is_to_fail(size) ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
  void *made = memalign(alignment, size);
  if (made == NULL) return ENOMEM;
  *result = made;
  return 0;
}

/* ---- descriptors */

int accept4(int descriptor, __SOCKADDR_ARG address, socklen_t *size, int flags) {
  struct faults *now = asked();
  if (now != NULL) {
    const int64_t error = get(&now->accept_error);
    count(&now->accepts);
    if (error != 0) {
      errno = (int)error;
      return -1;
    }
  }
  return (int)syscall(SYS_accept4, descriptor, address.__sockaddr__, size, flags);
}

/* ---- the realtime clock */

static int64_t offset(void) {
  const struct faults *now = asked();
  return now == NULL ? 0 : get(&now->clock_offset_s);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*next)(clockid_t, struct timespec *);
  int (*call)(clockid_t, struct timespec *) = __atomic_load_n(&next, __ATOMIC_ACQUIRE);
  int result;
  if (call == NULL) {
    *(void **)&call = dlsym(RTLD_NEXT, "clock_gettime");
    __atomic_store_n(&next, call, __ATOMIC_RELEASE);
  }
  result = call(clock, time);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) time->tv_sec += offset();
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (result != NULL) *result = now.tv_sec;
  return now.tv_sec;
}
