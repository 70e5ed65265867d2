//===- Formatter.cpp ------------------------------------------------------===//
//
// Like AstPrinter, with two things more: long lines are broken, and comments are put in. A comment
// that ends a line stays behind what it followed; one inside of a statement goes before it; any
// other one keeps its place between the statements, with a blank line where there was one.
//
//===----------------------------------------------------------------------===//
#include "lang/Formatter.h"

#include "lang/AstPrinter.h"
#include "lang/Layout.h"
#include "lang/Parser.h"
#include "lang/Precedence.h"

namespace loss::lang {

namespace {

/// How much further right the rest of a broken line starts.
constexpr size_t continuation = 4;

using Pieces = std::vector<Layout>;

Layout layoutOf(const Expr &expr, Level atLeast = ConditionalLevel);

/// `a, b, c` with a break behind each comma.
void appendList(Pieces &pieces, const std::vector<ExprPtr> &operands, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (i) {
      pieces.push_back(Layout::text(","));
      pieces.push_back(Layout::line());
    }
    pieces.push_back(layoutOf(*operands[i]));
  }
}

Layout layoutOfCall(const Expr &expr) {
  Pieces pieces = {Layout::text(expr.text + "("), Layout::softLine()};
  appendList(pieces, expr.operands, expr.operands.size() - expr.hasKey);
  if (!expr.axes.empty()) {
    std::string over = "over ";
    for (const Identifier &axis : expr.axes)
      over += (&axis == &expr.axes[0] ? "" : ", ") + axis.name;
    pieces.push_back(Layout::line());
    pieces.push_back(Layout::text(std::move(over)));
  }
  if (expr.hasKey) {
    pieces.push_back(Layout::text(" by "));
    pieces.push_back(layoutOf(*expr.operands.back()));
  }
  pieces.push_back(Layout::text(")"));
  return expr.operands.empty() ? Layout::text(expr.text + "()")
                               : Layout::group(std::move(pieces), continuation);
}

/// Operators of one level stand in one column when they do not fit on a line.
Layout layoutOfBinary(const Expr &expr) {
  std::string op(spelling(expr.binary));
  if (expr.binary == BinaryOp::Pow)
    return Layout::sequence({layoutOf(*expr.operands[0], leftLevel(expr.binary)), Layout::text(op),
                             layoutOf(*expr.operands[1], rightLevel(expr.binary))});
  // From the last operator to the first.
  std::vector<const Expr *> chain = {&expr};
  Level level = levelOf(expr.binary);
  while (level != CompareLevel && chain.back()->operands[0]->kind == ExprKind::Binary &&
         levelOf(chain.back()->operands[0]->binary) == level)
    chain.push_back(chain.back()->operands[0].get());
  Pieces pieces = {layoutOf(*chain.back()->operands[0], leftLevel(expr.binary))};
  for (size_t i = chain.size(); i-- > 0;) {
    pieces.push_back(Layout::line());
    pieces.push_back(Layout::text(std::string(spelling(chain[i]->binary)) + " "));
    pieces.push_back(layoutOf(*chain[i]->operands[1], rightLevel(expr.binary)));
  }
  return Layout::group(std::move(pieces));
}

/// A chain of conditionals has its parts below each other.
Layout layoutOfIf(const Expr &expr) {
  Pieces pieces;
  const Expr *part = &expr;
  for (; part->kind == ExprKind::If; part = part->operands[2].get()) {
    if (part != &expr) {
      pieces.push_back(Layout::line());
      pieces.push_back(Layout::text("else "));
    }
    pieces.push_back(Layout::text("if "));
    pieces.push_back(layoutOf(*part->operands[0]));
    pieces.push_back(Layout::line());
    pieces.push_back(Layout::text("then "));
    pieces.push_back(layoutOf(*part->operands[1]));
  }
  pieces.push_back(Layout::line());
  pieces.push_back(Layout::text("else "));
  pieces.push_back(layoutOf(*part));
  return Layout::group(std::move(pieces));
}

Layout layoutOfBare(const Expr &expr) {
  switch (expr.kind) {
  case ExprKind::Unary:
    return Layout::sequence({Layout::text(expr.unary == UnaryOp::Not ? "not " : "-"),
                             layoutOf(*expr.operands[0], levelOf(expr))});
  case ExprKind::Binary:
    return layoutOfBinary(expr);
  case ExprKind::If:
    return layoutOfIf(expr);
  case ExprKind::Call:
    return layoutOfCall(expr);
  case ExprKind::Rename:
    return Layout::sequence(
        {layoutOf(*expr.operands[0], PrimaryLevel),
         Layout::text("[" + expr.axes[0].name + " -> " + expr.axes[1].name + "]")});
  default:
    return Layout::text(print(expr));
  }
}

Layout layoutOf(const Expr &expr, Level atLeast) {
  if (levelOf(expr) >= atLeast)
    return layoutOfBare(expr);
  return Layout::sequence({Layout::text("("), layoutOfBare(expr), Layout::text(")")}, 1);
}

class Formatter {
public:
  explicit Formatter(const File &file) : file(file) {}

  std::string run() {
    for (size_t i = 0; i < file.items.size(); ++i) {
      bool isImport = std::holds_alternative<Import>(file.items[i]);
      bool followsImport = i && std::holds_alternative<Import>(file.items[i - 1]);
      // Definitions stand apart, imports together.
      startsItem = i && !(isImport && followsImport);
      std::visit([&](const auto &def) { writeDef(def); }, file.items[i]);
      endLine(rangeOf(file.items[i]).end,
              i + 1 < file.items.size() ? rangeOf(file.items[i + 1]).begin : endOfText);
    }
    startsItem = false;
    writeComments(endOfText, endOfText, 0);
    return std::move(out);
  }

private:
  static constexpr SourcePos endOfText = {~0u, 1};

  static SourceRange rangeOf(const Item &item) {
    return std::visit([](const auto &def) { return def.range; }, item);
  }

  //===--- Lines and comments ---------------------------------------------===//

  /// A blank line where the text has one, and between definitions.
  void separate(uint32_t line) {
    bool hasGap = lastLine && line > lastLine + 1;
    if (!out.empty() && (startsItem || (hasGap && !startsBlock)))
      out += '\n';
    startsItem = startsBlock = false;
    lastLine = line;
  }

  /// The comments before `end`, each on a line of its own. Those behind `begin` are inside of the
  /// statement that begins there and are put before it.
  void writeComments(SourcePos begin, SourcePos end, size_t indent) {
    for (; next < file.comments.size() && file.comments[next].range.begin < end; ++next) {
      const Comment &comment = file.comments[next];
      separate(std::min(comment.range.begin.line, begin.line));
      out.append(indent, ' ');
      out += comment.text + '\n';
    }
  }

  /// What belongs before something: comments, a blank line.
  void start(SourceRange range, size_t indent) {
    writeComments(range.begin, range.end, indent);
    separate(range.begin.line);
  }

  /// Ends the line of something, with the comment that follows it on its line before `limit`.
  void endLine(SourcePos end, SourcePos limit) {
    if (out.ends_with('\n'))
      out.pop_back();
    if (next < file.comments.size()) {
      const Comment &comment = file.comments[next];
      if (!comment.ownLine && comment.range.begin.line == end.line && comment.range.begin < limit) {
        out += " " + comment.text;
        ++next;
      }
    }
    out += '\n';
    lastLine = end.line;
  }

  void writeDoc(const DocText &doc, size_t indent) {
    if (doc.empty())
      return;
    for (size_t begin = 0; begin <= doc.size();) {
      size_t end = std::min(doc.find('\n', begin), doc.size());
      std::string line = doc.substr(begin, end - begin);
      out.append(indent, ' ');
      out += line.empty() ? "///" : "/// " + line;
      out += '\n';
      begin = end + 1;
    }
  }

  /// `head` and an expression behind it.
  void writeValue(size_t indent, const std::string &head, const Expr &value) {
    out.append(indent, ' ');
    out += head;
    size_t column = indent + head.size(), flatWidth = print(value).size();
    constexpr size_t step = 2;
    // A line of its own behind the `=`, where that is enough.
    if (head.ends_with("= ") && column + flatWidth > formatWidth &&
        indent + step + flatWidth <= formatWidth) {
      out.back() = '\n';
      out.append(indent + step, ' ');
      column = indent + step;
    }
    layoutOf(value).write(out, column, indent + continuation, formatWidth);
  }

  //===--- Definitions ----------------------------------------------------===//

  void writeDef(const Import &import) {
    start(import.range, 0);
    out += "import \"" + import.path + "\"";
  }

  void writeDef(const LossDef &loss) {
    start({loss.range.begin, loss.name.range.end}, 0);
    writeDoc(loss.doc, 0);
    out += "loss " + loss.name.name + "(";
    if (!loss.args.empty())
      out += '\n';
    startsBlock = true;
    for (size_t i = 0; i < loss.args.size(); ++i) {
      const LossArg &arg = loss.args[i];
      bool isLast = i + 1 == loss.args.size();
      start(arg.range, 2);
      writeDoc(arg.doc, 2);
      writeArg(arg);
      out += isLast ? "" : ",";
      endLine(arg.range.end, isLast ? loss.body.range.begin : loss.args[i + 1].range.begin);
    }
    writeComments(loss.body.range.begin, loss.body.range.begin, 2);
    out += ")";
    writeBlock(loss.body);
  }

  void writeArg(const LossArg &arg) {
    if (!arg.isInput()) {
      std::string head = (arg.kind == LossArg::Kind::Param ? "param " : "option ") + arg.name.name;
      if (std::string constraint = printConstraint(arg); !constraint.empty())
        head += ": " + constraint;
      return writeValue(2, head + " = ", *arg.defaultValue);
    }
    out += "  " + arg.name.name + ": ";
    if (arg.kind == LossArg::Kind::Target)
      out += "target ";
    if (arg.kind == LossArg::Kind::Fixed)
      out += "fixed ";
    if (arg.classAxis)
      out += "over " + arg.classAxis->name + " ";
    out += axes(arg.axes);
  }

  static std::string axes(const std::vector<Identifier> &list) {
    std::string result = "[";
    for (const Identifier &axis : list)
      result += (result.size() > 1 ? ", " : "") + axis.name;
    return result + "]";
  }

  void writeDef(const FnDef &fn) {
    SourcePos headEnd = fn.isShort ? fn.body.result->range.end : fn.name.range.end;
    start({fn.range.begin, headEnd}, 0);
    writeDoc(fn.doc, 0);
    std::string head = "fn " + fn.name.name + "(";
    Pieces pieces = {Layout::text(head), Layout::softLine()};
    for (size_t i = 0; i < fn.args.size(); ++i) {
      if (i) {
        pieces.push_back(Layout::text(","));
        pieces.push_back(Layout::line());
      }
      const FnArg &arg = fn.args[i];
      pieces.push_back(Layout::text(arg.name.name + (arg.axes ? ": " + axes(*arg.axes) : "")));
    }
    pieces.push_back(Layout::text(")"));
    size_t lineStart = out.size();
    Layout::group(std::move(pieces), continuation).write(out, 0, 0, formatWidth);
    if (fn.isShort) {
      out += " = ";
      size_t newline = out.rfind('\n');
      if (newline != std::string::npos && newline >= lineStart)
        lineStart = newline + 1;
      layoutOf(*fn.body.result).write(out, out.size() - lineStart, continuation, formatWidth);
    } else {
      writeBlock(fn.body);
    }
    SourcePos end = fn.isShort ? fn.body.result->range.end : fn.body.range.end;
    for (const Derivative &derivative : fn.derivatives) {
      endLine(end, derivative.range.begin);
      start(derivative.range, 2);
      writeValue(2, "derivative " + derivative.name.name + " = ", *derivative.value);
      end = derivative.range.end;
    }
  }

  void writeBlock(const Block &block) {
    out += " {\n";
    startsBlock = true;
    lastLine = block.range.begin.line;
    for (size_t i = 0; i < block.axes.size(); ++i) {
      const AxisDef &axis = block.axes[i];
      start(axis.range, 2);
      out += "  axis " + axis.name.name + " = " + axis.original.name;
      endLine(axis.range.end, i + 1 < block.axes.size() ? block.axes[i + 1].range.begin
                              : block.lets.empty()      ? block.resultRange.begin
                                                        : block.lets[0].range.begin);
    }
    for (size_t i = 0; i < block.lets.size(); ++i) {
      const Let &let = block.lets[i];
      start(let.range, 2);
      writeValue(2, "let " + let.name.name + " = ", *let.value);
      endLine(let.range.end,
              i + 1 < block.lets.size() ? block.lets[i + 1].range.begin : block.resultRange.begin);
    }
    start(block.resultRange, 2);
    writeValue(2, "return ", *block.result);
    SourcePos brace = {block.range.end.line, block.range.end.column - 1};
    endLine(block.resultRange.end, brace);
    writeComments(brace, brace, 2);
    out += "}";
  }

  const File &file;
  std::string out;
  /// The first comment that is not written yet.
  size_t next = 0;
  /// The line of the text where the last thing that was written ends; 0 at the start.
  uint32_t lastLine = 0;
  /// The next thing is the first of a definition, of a block.
  bool startsItem = false, startsBlock = false;
};

} // namespace

std::optional<std::string> format(std::string_view text, DiagnosticEngine &diagnostics) {
  File file = parse(text, diagnostics);
  if (!file.complete)
    return std::nullopt;
  return Formatter(file).run();
}

} // namespace loss::lang
