//===- AstPrinter.cpp -----------------------------------------------------===//
#include "lang/AstPrinter.h"

#include "lang/Precedence.h"

#include <charconv>

namespace loss::lang {

namespace {

class Printer {
public:
  std::string out;

  void printFile(const File &file) {
    bool first = true, wasImport = false;
    for (const Item &item : file.items) {
      // Imports stand together.
      if (!first && !(wasImport && std::holds_alternative<Import>(item)))
        out += '\n';
      first = false;
      wasImport = std::holds_alternative<Import>(item);
      std::visit([this](const auto &def) { printDef(def); }, item);
    }
  }

  void printExpr(const Expr &expr, Level atLeast) {
    bool parens = levelOf(expr) < atLeast;
    if (parens)
      out += '(';
    printBare(expr);
    if (parens)
      out += ')';
  }

  void printDef(const FnDef &fn) {
    printDoc(fn.doc, "");
    out += "fn " + fn.name.name + "(";
    for (size_t i = 0; i < fn.args.size(); ++i) {
      out += i ? ", " : "";
      out += fn.args[i].name.name;
      if (fn.args[i].axes) {
        out += ": ";
        printAxes(*fn.args[i].axes);
      }
    }
    out += ')';
    if (fn.isShort) {
      out += " = ";
      printExpr(*fn.body.result, ConditionalLevel);
      out += '\n';
    } else {
      printBlock(fn.body);
    }
    for (const Derivative &derivative : fn.derivatives) {
      out += "  derivative " + derivative.name.name + " = ";
      printExpr(*derivative.value, ConditionalLevel);
      out += '\n';
    }
  }

private:
  void printDoc(const DocText &doc, std::string_view indent) {
    if (doc.empty())
      return;
    size_t begin = 0;
    while (true) {
      size_t end = doc.find('\n', begin);
      std::string_view line = std::string_view(doc).substr(begin, end - begin);
      out += indent;
      out += line.empty() ? "///" : "/// ";
      out += line;
      out += '\n';
      if (end == std::string::npos)
        return;
      begin = end + 1;
    }
  }

  void printAxes(const std::vector<Identifier> &axes) {
    out += '[';
    for (size_t i = 0; i < axes.size(); ++i) {
      out += i ? ", " : "";
      out += axes[i].name;
    }
    out += ']';
  }

  void printBlock(const Block &block) {
    out += " {\n";
    for (const AxisDef &axis : block.axes)
      out += "  axis " + axis.name.name + " = " + axis.original.name + '\n';
    for (const Let &let : block.lets) {
      out += "  let " + let.name.name + " = ";
      printExpr(*let.value, ConditionalLevel);
      out += '\n';
    }
    out += "  return ";
    printExpr(*block.result, ConditionalLevel);
    out += "\n}\n";
  }

  void printDef(const Import &import) { out += "import \"" + import.path + "\"\n"; }

  void printDef(const LossDef &loss) {
    printDoc(loss.doc, "");
    out += "loss " + loss.name.name + "(";
    for (size_t i = 0; i < loss.args.size(); ++i) {
      out += i ? ",\n" : "\n";
      printDoc(loss.args[i].doc, "  ");
      out += "  ";
      printArg(loss.args[i]);
    }
    out += loss.args.empty() ? ")" : "\n)";
    printBlock(loss.body);
  }

  void printArg(const LossArg &arg) {
    if (!arg.isInput()) {
      out += (arg.kind == LossArg::Kind::Param ? "param " : "option ") + arg.name.name;
      if (std::string constraint = printConstraint(arg); !constraint.empty())
        out += ": " + constraint;
      out += " = ";
      return printExpr(*arg.defaultValue, ConditionalLevel);
    }
    out += arg.name.name + ": ";
    if (arg.kind == LossArg::Kind::Target)
      out += "target ";
    if (arg.kind == LossArg::Kind::Fixed)
      out += "fixed ";
    if (arg.classAxis)
      out += "over " + arg.classAxis->name + " ";
    printAxes(arg.axes);
  }

  void printNumber(const Expr &expr) {
    if (!expr.text.empty()) {
      out += expr.text;
      return;
    }
    // The shortest digits that read back as the same number.
    char buffer[64];
    auto [end, status] = std::to_chars(buffer, buffer + sizeof buffer, expr.number);
    out.append(buffer, end);
  }

  void printBare(const Expr &expr) {
    switch (expr.kind) {
    case ExprKind::Number:
      return printNumber(expr);
    case ExprKind::Name:
      out += expr.text;
      return;
    case ExprKind::Unary:
      out += spelling(expr.unary);
      if (expr.unary == UnaryOp::Not)
        out += ' ';
      return printExpr(*expr.operands[0], levelOf(expr));
    case ExprKind::Binary:
      return printBinary(expr);
    case ExprKind::If:
      out += "if ";
      printExpr(*expr.operands[0], ConditionalLevel);
      out += " then ";
      printExpr(*expr.operands[1], ConditionalLevel);
      out += " else ";
      return printExpr(*expr.operands[2], ConditionalLevel);
    case ExprKind::Call:
      return printCall(expr);
    case ExprKind::Rename:
      printExpr(*expr.operands[0], PrimaryLevel);
      out += "[" + expr.axes[0].name + " -> " + expr.axes[1].name + "]";
      return;
    case ExprKind::Error:
      out += "<error>";
      return;
    }
  }

  void printCall(const Expr &expr) {
    out += expr.text + "(";
    size_t count = expr.operands.size() - expr.hasKey;
    for (size_t i = 0; i < count; ++i) {
      out += i ? ", " : "";
      printExpr(*expr.operands[i], ConditionalLevel);
    }
    for (size_t i = 0; i < expr.axes.size(); ++i)
      out += (i ? ", " : " over ") + expr.axes[i].name;
    if (expr.hasKey) {
      out += " by ";
      printExpr(*expr.operands.back(), ConditionalLevel);
    }
    out += ')';
  }

  void printBinary(const Expr &expr) {
    printExpr(*expr.operands[0], leftLevel(expr.binary));
    bool tight = expr.binary == BinaryOp::Pow;
    out += tight ? "" : " ";
    out += spelling(expr.binary);
    out += tight ? "" : " ";
    printExpr(*expr.operands[1], rightLevel(expr.binary));
  }
};

} // namespace

std::string print(const File &file) {
  Printer printer;
  printer.printFile(file);
  return std::move(printer.out);
}

std::string print(const FnDef &fn) {
  Printer printer;
  printer.printDef(fn);
  return std::move(printer.out);
}

std::string print(const Expr &expr) {
  Printer printer;
  printer.printExpr(expr, ConditionalLevel);
  return std::move(printer.out);
}

std::string printConstraint(const LossArg &arg) {
  std::string out;
  for (const Identifier &word : arg.constraints)
    out += (out.empty() ? "" : " ") + word.name;
  if (arg.least)
    out += (out.empty() ? "[" : " [") + print(*arg.least) + ", " + print(*arg.greatest) + "]";
  return out;
}

} // namespace loss::lang
