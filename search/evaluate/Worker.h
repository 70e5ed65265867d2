//===- Worker.h - evaluates losses for a search -----------------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_EVALUATE_WORKER_H
#define LOSSLANG_SEARCH_EVALUATE_WORKER_H

namespace loss::search {

/// The worker's side of the protocol of WorkerPool.h, on the socket `descriptor`: compiles each
/// program in process, trains the surrogate with it and answers, until the socket is closed.
/// Returns the exit code.
int runWorker(int descriptor);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_EVALUATE_WORKER_H
