//===- Header.cpp - lossc --emit=header -----------------------------------===//

#include "compiler/Driver/Driver.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace loss;

/// The text of runtime/abi/LossAbi.h, made part of the program when it is built. It keeps its
/// include guard, so that several such headers and LossAbi.h itself go together.
static const char abiText[] =
#include "compiler/Driver/LossAbiText.inc"
    ;

std::string loss::emitHeader(const ModuleInfo &info) {
  std::string text;
  llvm::raw_string_ostream out(text);
  std::string guard = "LOSSLANG_LOSS_" + llvm::StringRef(info.name).upper() + "_H";
  out << "/* " << info.name << ".h - written by lossc --emit=header for the loss '" << info.name
      << "'.\n"
      << " * Link the shared object that lossc writes: cc program.c ./" << info.name << ".so\n"
      << " */\n";
  out << abiText << "\n";
  out << "#ifndef " << guard << "\n#define " << guard << "\n\n";
  out << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  out << "/** The compiled loss; the only symbol of " << info.name << ".so. */\n";
  out << "extern const LossModule " LOSSLANG_MODULE_SYMBOL ";\n\n";
  out << "/** Places of the inputs in LossArgs.inputs. */\nenum {";
  for (auto [i, input] : llvm::enumerate(info.inputs))
    out << (i ? "," : "") << " " << info.name << "_input_" << input.name << " = " << i;
  out << " };\n";
  if (!info.params.empty()) {
    out << "/** Places of the parameters in LossArgs.params. */\nenum {";
    for (auto [i, param] : llvm::enumerate(info.params))
      out << (i ? "," : "") << " " << info.name << "_param_" << param.name << " = " << i;
    out << " };\n";
  }
  out << "\n#ifdef __cplusplus\n}\n#endif\n#endif /* " << guard << " */\n";
  return text;
}
