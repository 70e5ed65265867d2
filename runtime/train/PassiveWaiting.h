//===- PassiveWaiting.h - threads that wait leave their core ----*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TRAIN_PASSIVEWAITING_H
#define LOSSLANG_RUNTIME_TRAIN_PASSIVEWAITING_H

namespace loss::runtime {

/// Lets OpenMP's threads sleep where they wait for each other, rather than spin: what spins on a
/// core takes it from the thread that is waited for, where another program runs on that core.
///
/// OpenMP's runtime reads its settings when it is loaded, before main(). So the program is started
/// anew, once, with the setting in its environment, and this function returns in the new program
/// only; `argv` is main's. A choice of the user (OMP_WAIT_POLICY, GOMP_SPINCOUNT) stays in force.
/// Prints a warning where the program cannot be started anew.
void waitPassively(char *const *argv);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_PASSIVEWAITING_H
