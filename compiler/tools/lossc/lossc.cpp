//===- lossc.cpp - the LossLang compiler ----------------------------------===//

#include "compiler/Driver/Lossc.h"

int main(int argc, char **argv) { return loss::runLossc(argc, argv); }
