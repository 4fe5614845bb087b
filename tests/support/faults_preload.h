/* What a test asks of faults_preload.c: one file, mapped by both. C11 and C++. Each field is set by
 * the test and read by the server, but for those that count. */
#ifndef JACKFIELD_TESTS_FAULTS_PRELOAD_H
#define JACKFIELD_TESTS_FAULTS_PRELOAD_H

#include <stdint.h>

/* The environment variable that holds the file's path. */
#define FAULTS_FILE "JACKFIELD_FAULTS"

/* Aligned words, read and written whole, through __atomic_*. */
struct faults {
  int64_t clock_offset_s;  /* added to what the realtime clock says */
  int64_t accept_error;    /* errno of accept4(2); 0: it works */
  int64_t accepts;         /* counts: calls of accept4(2) */
  int64_t fail_at;         /* the so many-th allocation from now on fails; set last */
  int64_t fail_count;      /* and those after it, so many altogether */
  int64_t fail_octets;     /* allocations of so much and more fail; 0: none */
  int64_t allocations;     /* counts: since fail_at was set, where the test set this to 0 before */
  int64_t failed;          /* counts: allocations that failed */
};

#endif
