//===- main.cpp - losssearch-worker: evaluates losses for losssearch ------===//
//
// A program of its own, so that losssearch itself starts without loading LibTorch, and nothing that
// happens in a training can reach the search.
//
//===----------------------------------------------------------------------===//

#include "search/evaluate/Worker.h"

#include <cstdio>

#include <fcntl.h>

int main() {
  constexpr int socket = 3;
  if (fcntl(socket, F_GETFD) < 0) {
    std::fprintf(stderr, "losssearch-worker: error: is started by 'losssearch run', not by hand\n");
    return 2;
  }
  return loss::search::runWorker(socket);
}
