//===- lossc.cpp - the LossLang compiler ----------------------------------===//

#include "compiler/Driver/Driver.h"

int main(int argc, char **argv) { return loss::runLossc(argc, argv); }
