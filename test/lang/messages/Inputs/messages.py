"""The messages of the front end: those in its source, those in Messages.def, and the examples.

messages.py check SOURCE LOSSC   every message in the source has a row, every row an example that shows it
messages.py list SOURCE          prints the patterns in the source
messages.py page SOURCE LOSSC    prints docs/messages.md
"""

import json
import pathlib
import re
import subprocess
import sys

# Functions that emit a message, and which argument is its text.
EMITTERS = {"error": 1, "warning": 1, "fail": 1, "warn": 2, "never": 0, "warnings.push_back": 2}
# The text is an argument of the function that emits it; its callers are looked at instead.
PASSED_ON = "(passed on)"
# The parser puts its messages together from the tokens; both forms have a row.
COMPOSED = {"SyntaxErrors.cpp": ["unexpected {}", "expected {}, but found {}"]}
# Messages that a small file cannot show, and the test that does.
SHOWN_ELSEWHERE = {
    "file-size": "test/lang/limits.test",
    "encoding": "test/lang/limits.test",
    "import-count": None,
    "internal": None,
}


def arguments(text, start):
    """The arguments of a call whose parenthesis opens before `start`."""
    result, depth, last, i = [], 0, start, start
    while i < len(text):
        c = text[i]
        if c == '"':
            i += 1
            while text[i] != '"':
                i += 2 if text[i] == "\\" else 1
        elif c == "'":
            i += 2 if text[i + 1] == "\\" else 1
            i += 1
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                result.append(text[last:i])
                return result
            depth -= 1
        elif c == "," and depth == 0:
            result.append(text[last:i])
            last = i + 1
        i += 1
    raise ValueError("unbalanced parentheses")


def pattern(expression):
    """The text of a message with {} for what is put in: literals stay, all else is a hole."""
    expression = re.sub(r"//[^\n]*", "", expression).strip()
    if re.fullmatch(r"std::move\(\w+\)|\w+\.message", expression):
        return PASSED_ON
    parts, depth, last = [], 0, 0
    quoted = False
    i = 0
    while i < len(expression):
        c = expression[i]
        if c == "\\" and quoted:
            i += 1
        elif c == '"':
            quoted = not quoted
        elif not quoted and c in "([{":
            depth += 1
        elif not quoted and c in ")]}":
            depth -= 1
        elif not quoted and c == "+" and depth == 0:
            parts.append(expression[last:i])
            last = i + 1
        i += 1
    parts.append(expression[last:])
    text = ""
    for part in parts:
        part = re.sub(r"^std::string\((.*)\)$", r"\1", part.strip(), flags=re.S)
        literals = re.findall(r'"((?:[^"\\]|\\.)*)"', part)
        rest = re.sub(r'"((?:[^"\\]|\\.)*)"', "", part).strip()
        text += "{}" if rest or not literals else "".join(literals).replace('\\"', '"')
    return re.sub(r"(\{\})+", "{}", text)


def in_source(source):
    """(file, line, pattern) for each place that emits a message."""
    found = []
    names = "|".join(re.escape(name) for name in EMITTERS)
    for file in sorted((source / "lang").glob("*.cpp")):
        if file.name == "VerifyDiagnostics.cpp":
            continue
        text = file.read_text()
        # A call, not a declaration: something that is no type stands before it.
        for match in re.finditer(rf"(?<![\w:])({names})\(", text):
            name = match.group(1)
            before = text[: match.start()].rstrip()[-40:]
            if re.search(r"(Diagnostic &|NodeId|void|Built|std::vector<Diagnostic>)$", before):
                continue
            if name in ("error", "warning") and not re.search(r"diagnostics\s*\.$", before):
                continue
            # A warning that waits is a list in braces.
            brace = re.match(r"\s*\{", text[match.end() :]) if name == "warnings.push_back" else None
            given = arguments(text, match.end() + (brace.end() if brace else 0))
            if len(given) <= EMITTERS[name]:
                continue
            found.append((file.name, text.count("\n", 0, match.start()) + 1, pattern(given[EMITTERS[name]])))
    return found


def rows(source):
    """(severity, name, pattern, fix) of Messages.def."""
    text = re.sub(r"//[^\n]*", "", (source / "lang/Messages.def").read_text())
    result = []
    for match in re.finditer(r"LOSS_(ERROR|WARNING)\((?=\s*\")", text):
        fields = [pattern(a) for a in arguments(text, match.end())]
        result.append((match.group(1).lower(), *fields))
    return result


def matches(row, text):
    return re.fullmatch(".*".join(re.escape(p) for p in row[2].split("{}")), text, re.S)


def diagnostics(lossc, file):
    """What lossc check says about an example. `// check-with: ...` in it gives more arguments."""
    more = re.search(r"check-with: (.*)", file.read_text(errors="replace"))
    command = [lossc, "check", "--format=json", *(more.group(1).split() if more else []), file.name]
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True)
    return json.loads(done.stdout)["diagnostics"]


def example(source, name):
    return source / "test/lang/messages" / f"{name}.loss"


def check(source, lossc):
    problems, table = [], rows(source)
    patterns = {row[2] for row in table}
    for file, line, text in in_source(source):
        if text == PASSED_ON and file in COMPOSED:
            text = next((p for p in COMPOSED[file] if p not in patterns), PASSED_ON)
        # A row may say more than the source does: 'the input ...' where the source has 'the {} ...'.
        known = any(matches((None, None, text), row) for row in patterns)
        if not known and text != PASSED_ON:
            problems.append(f"lang/{file}:{line}: no row in lang/Messages.def for: {text}")
    shown = {}
    for row in table:
        name = row[1]
        file = example(source, name)
        if name in SHOWN_ELSEWHERE:
            test = SHOWN_ELSEWHERE[name]
            longest = max(row[2].split("{}"), key=len)
            if test and longest.strip() not in (source / test).read_text():
                problems.append(f"{test}: expected a test of the message '{row[2]}'")
            continue
        if not file.exists():
            problems.append(f"lang/Messages.def: expected an example of '{name}' in {file.relative_to(source)}")
            continue
        if name not in shown:
            shown[name] = diagnostics(lossc, file)
        if not any(d["severity"] == row[0] and d["id"] == name and matches(row, d["message"]) for d in shown[name]):
            said = "; ".join(d["message"] for d in shown[name]) or "nothing"
            problems.append(f"{file.relative_to(source)}: expected the message '{row[2]}', but found {said}")
    names = {row[1] for row in table}
    for file in sorted((source / "test/lang/messages").glob("*.loss")):
        if file.stem not in names:
            problems.append(f"{file.relative_to(source)}: expected a row '{file.stem}' in lang/Messages.def")
    print("\n".join(problems) or f"{len(table)} messages, each with an example")
    return 1 if problems else 0


def page(source, lossc):
    table = rows(source)
    out = [
        "<!-- Generated by ./dev docs. Edit lang/Messages.def and test/lang/messages/ instead. -->",
        "",
        "# Messages",
        "",
        "Every error and warning about a program, with an example and what to do. `lossc check --format=json` gives",
        "the name as `id`; `-Wno-NAME` switches a warning off, `-Werror` makes warnings errors. `…` stands for what",
        "the program says.",
    ]
    for severity, title in (("error", "Errors"), ("warning", "Warnings")):
        out += ["", f"## {title}"]
        seen = set()
        for kind, name, text, fix in table:
            if kind != severity or name in seen:
                continue
            seen.add(name)
            out += ["", f"### {name}", ""]
            texts = [row for row in table if row[1] == name]
            for row in texts:
                out.append(f"- `{row[2].replace('{}', '…')}`")
            out += ["", fix]
            if not example(source, name).exists():
                continue
            file = example(source, name)
            done = subprocess.run(
                [lossc, "check", *with_arguments(file), file.name], cwd=file.parent, capture_output=True, text=True
            )
            shown = [block for block in blocks(done.stderr, file.name) if any(matches(row, said(block)) for row in texts)]
            out += ["", f"[Example](../test/lang/messages/{file.name}):", "", "```text", *shown, "```"]
    print("\n".join(out))
    return 0


def with_arguments(file):
    more = re.search(r"check-with: (.*)", file.read_text(errors="replace"))
    return more.group(1).split() if more else []


def blocks(text, file):
    """The diagnostics of a run: each with its line, hint and notes, long ones cut."""
    result = []
    for line in text.splitlines():
        if re.match(rf"{re.escape(file)}(:\d+:\d+)?: (error|warning): ", line):
            result.append([])
        if result:
            # Folders of the machine are no part of the page.
            result[-1].append(re.sub(r"(searched in '[^']*').*", r"\1, ...", line))
    longest = 12
    return ["\n".join(b if len(b) <= longest else [*b[:longest], "..."]) for b in result]


def said(block):
    """The message of a block, without the name of a warning."""
    return re.sub(r" \[[\w-]+\]$", "", re.sub(r"^.*?: (error|warning): ", "", block.split("\n")[0]))


def main():
    sys.dont_write_bytecode = True
    command, source = sys.argv[1], pathlib.Path(sys.argv[2])
    if command == "list":
        for place in in_source(source):
            print("%s:%d %s" % place)
        return 0
    return {"check": check, "page": page}[command](source, sys.argv[3])


if __name__ == "__main__":
    sys.exit(main())
