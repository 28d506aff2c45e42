"""The report of many replays: by recording, what is worst first, and by command. Made from the results alone, so that it is
the same wherever and in whatever order they were made."""

import html
import json

STATUSES = ["FOUND", "AMBIGUOUS", "NOT_FOUND", "ERROR"]


def _share(part, whole):
    return part / whole if whole else 0.0


def merge(results):
    """One report of `results`: by name, `failed` (why, or None), `summary` (that of `referseg replay --summary`) and
    `compared` (that of `referseg compare --json`, or None)."""
    recordings, commands = [], {}
    for name, result in results.items():
        summary = result["summary"] or {"answers": 0, "statuses": {}, "commands": {}, "complete": False, "errors": []}
        compared = result["compared"] or {}
        all_answers = sum(compared.get(kind, 0) for kind in ["same", "different"])
        recordings.append({
            "name": name,
            "failed": result["failed"],
            "complete": summary["complete"],
            "answers": summary["answers"],
            **{status: summary["statuses"].get(status, 0) for status in STATUSES},
            "changed": _share(compared.get("different", 0), all_answers),
            "worse": compared.get("worse", 0),
            "errors": summary["errors"][:5],
        })
        for command, counts in summary["commands"].items():
            into = commands.setdefault(command, dict.fromkeys(["recordings", *STATUSES], 0))
            into["recordings"] += 1
            for status, count in counts.items():
                into[status] += count

    def badness(one):
        answers = one["answers"]
        return (one["failed"] is not None, one["worse"], one["changed"], not one["complete"],
                _share(one["ERROR"], answers), _share(one["NOT_FOUND"], answers))
    recordings.sort(key=lambda one: one["name"])
    recordings.sort(key=badness, reverse=True)
    found = lambda counts: _share(counts["FOUND"], sum(counts[status] for status in STATUSES))
    by_command = [{"command": command, **counts} for command, counts in sorted(commands.items())]
    by_command.sort(key=found)
    totals = {status: sum(one[status] for one in recordings) for status in STATUSES}
    return {"recordings": recordings, "commands": by_command, "totals": totals}


def _tables(report):
    """Headings, names of columns, and rows of text."""
    total = report["totals"]
    yield "All", ["recordings", "failed", "incomplete", *STATUSES], [[
        len(report["recordings"]), sum(one["failed"] is not None for one in report["recordings"]),
        sum(one["failed"] is None and not one["complete"] for one in report["recordings"]), *(total[status] for status in STATUSES)]]
    rows = []
    for one in report["recordings"]:
        errors = "; ".join(f"{error['count']} x {error['reason']}" for error in one["errors"])
        notes = one["failed"] or ("" if one["complete"] else "incomplete; ") + errors
        rows.append([one["name"], one["answers"], *(one[status] for status in STATUSES), one["worse"], f"{one['changed']:.3f}", notes])
    yield "By recording, the worst first", ["recording", "answers", *STATUSES, "worse than before", "share changed", "notes"], rows
    rows = [[one["command"], one["recordings"], *(one[status] for status in STATUSES)] for one in report["commands"]]
    yield "By command, the least found first", ["command", "recordings", *STATUSES], rows


def markdown(report):
    lines = ["# Replays", ""]
    cell = lambda value: str(value).replace("|", "\\|").replace("\n", " ")
    for heading, columns, rows in _tables(report):
        lines += [f"## {heading}", "", f"| {' | '.join(columns)} |", "|" + " --- |" * len(columns)]
        lines += [f"| {' | '.join(map(cell, row))} |" for row in rows] + [""]
    return "\n".join(lines)


def page(report):
    parts = ["<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Referseg replays</title>\n"
             "<style>body{font:15px/1.4 sans-serif;margin:2em}td,th{padding:.2em .8em;text-align:left}</style>\n<h1>Replays</h1>\n"]
    for heading, columns, rows in _tables(report):
        head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
        parts.append(f"<h2>{html.escape(heading)}</h2>\n<table><tr>{head}</tr>\n")
        parts += ["<tr>" + "".join(f"<td>{html.escape(str(value))}</td>" for value in row) + "</tr>\n" for row in rows]
        parts.append("</table>\n")
    return "".join(parts) + "</html>\n"


def text(report):
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"
