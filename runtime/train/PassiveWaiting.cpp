#include "runtime/train/PassiveWaiting.h"

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

void loss::runtime::waitPassively(char *const *argv) {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT"))
    return;
  // The program's own path, so that it keeps its name.
  char program[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length > 0 && setenv("OMP_WAIT_POLICY", "passive", 1) == 0) {
    program[length] = '\0';
    execv(program, argv);
  }
  std::fprintf(stderr,
               "%s: warning: threads that wait will spin: the program cannot be started anew: %s\n",
               argv[0], std::strerror(errno));
}
