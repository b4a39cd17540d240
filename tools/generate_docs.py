"""Write docs/settings.md, metrics.md and events.md.  Run: python tools/generate_docs.py [--check]

For whoever runs Inbox or listens to it. The code is where each setting, metric and event is
declared with its meaning; nothing is said here that is not said there.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.resources import files as package_files
from pathlib import Path
from typing import Literal, get_args, get_origin

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "gen"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message
from grpc_tools import protoc
from prometheus_client import Counter, Gauge, Histogram
from pydantic import SecretStr

from chassis import metrics
from chassis.settings import PREFIX, ServiceSettings, Settings, default_of, unit_of
from suite.settings import DEPLOYMENT, Variable, suite_variables

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PROTOS = ROOT / "protos"
HEADER = "<!-- Made by tools/generate_docs.py. Do not edit. -->"
NONE = "none"
MESSAGES = 4
"""The field of a FileDescriptorProto that holds its messages, as paths of comments name it."""

SETTINGS = """\
# Settings

A process reads its settings once, from the environment. It does not start with a bad one: it names
all that are, and exits with 78. `python -m services.messaging --help` prints those of one process.
A **secret** is never printed or logged.

## Processes

"""
SUITE = """
## `./dev`

A service that `./dev` starts is told none of the caller's other `INBOX_` variables.

"""
COMPOSE = """
## Compose, its jobs and the simulator

Beside the settings above, which compose passes on. `python deploy/new_secrets.py` makes the
secrets.

"""
METRICS = """\
# Metrics

Prometheus text: services give it at `INBOX_METRICS_LISTEN`, the gateway at `/metrics` of its own
address. A name's last word, before `_total`, is its unit. Labels are few and bounded, never an id.

"""
EVENTS = """\
# Events

Every committed change is one event, in its owner's stream `INBOX_<OWNER>`, with the subject
`inbox.<owner>.v1.<event>.<workspace id>` and the bare protobuf message as its body. A copy that
waits for no disk goes to `inbox.live.<owner>.<workspace id>`. Teams read them by
`RealtimeService.Watch`. Beside the consumers named here, every service follows identity's log, to
forget what was revoked. What was erased keeps its place in the log as `event_erased`, without a
body; the stream has a hole there.
"""


def settings_page() -> str:
    kinds = {name: settings_of(f"services.{name}.settings") for name in services()}
    kinds["gateway"] = settings_of("gateway.settings")
    readers: dict[tuple[str, ...], list[str]] = {}
    for process, kind in sorted(kinds.items()):
        for name in kind.model_fields:
            readers.setdefault(setting_row(kind, name), []).append(process)
    rows = [
        (name, unit, default, read_by(kinds, processes), meaning)
        for (name, unit, default, meaning), processes in sorted(readers.items())
    ]
    columns = ("Setting", "Unit", "Default", "Read by", "What it does")
    return "".join(
        (
            SETTINGS,
            table(columns, rows),
            SUITE,
            variables(suite_variables().values()),
            COMPOSE,
            variables(DEPLOYMENT),
        )
    )


def services() -> list[str]:
    found = importlib.import_module("services")
    return sorted(module.name for module in pkgutil.iter_modules(found.__path__))


def settings_of(module: str) -> type[Settings]:
    """The one settings type that a module declares."""
    (kind,) = (
        value
        for value in vars(importlib.import_module(module)).values()
        if isinstance(value, type) and issubclass(value, Settings) and value.__module__ == module
    )
    return kind


def setting_row(kind: type[Settings], name: str) -> tuple[str, str, str, str]:
    field = kind.model_fields[name]
    unit = unit_of(kind, name)
    if get_origin(field.annotation) is Literal:
        unit = " ".join(map(code, get_args(field.annotation)))
    unit = marked(unit, is_secret=field.annotation is SecretStr)
    return code(PREFIX + name.upper()), unit, shown(default_of(kind, name)), field.description or ""


def read_by(kinds: Mapping[str, type[Settings]], processes: Sequence[str]) -> str:
    if len(processes) == len(kinds):
        return "all"
    if list(processes) == sorted(
        n for n, kind in kinds.items() if issubclass(kind, ServiceSettings)
    ):
        return "all services"
    return ", ".join(processes)


def variables(them: Iterable[Variable]) -> str:
    rows = [
        (code(one.name), marked(one.unit, is_secret=one.is_secret), shown(one.default), one.meaning)
        for one in them
    ]
    return table(("Variable", "Unit", "Default", "What it does"), rows)


def metrics_page() -> str:
    rows = []
    for metric in vars(metrics).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            (family,) = metric.describe()
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = ", ".join(map(code, metric._labelnames)) or NONE  # noqa: SLF001
            rows.append((code(name), family.type, labels, family.documentation))
    return METRICS + table(("Metric", "Type", "Labels", "What it says"), sorted(rows))


def events_page() -> str:
    said = comments()
    consumers: dict[str, list[str]] = {}
    for service, consumed in tables("consumers", "CONSUMES"):
        for event in consumed:
            consumers.setdefault(event, []).append(service)
    pages = [EVENTS]
    seen: set[str] = set()
    for service, published in tables("events", "PUBLISHES"):
        if not seen.isdisjoint(published):
            raise SystemExit(f"{service} publishes {seen & set(published)}, as another does")
        seen |= set(published)
        rows = [
            (
                code(event),
                link_to(message),
                said[message.DESCRIPTOR.full_name],
                ", ".join(consumers.get(event, [])) or "nobody",
            )
            for event, message in published.items()
        ]
        pages.append(f"\n## {service}\n\n")
        pages.append(table(("Event", "Message", "What happened", "Consumed by"), rows))
    return "".join(pages)


def tables(module: str, name: str) -> Iterator[tuple[str, Mapping[str, type[Message]]]]:
    """Each service's PUBLISHES or CONSUMES, where it has one."""
    for service in services():
        if any((ROOT / "services" / service).glob(f"{module}*")):
            found = importlib.import_module(f"services.{service}.{module}")
            yield service, getattr(found, name)


def link_to(message: type[Message]) -> str:
    descriptor = message.DESCRIPTOR
    return f"[{descriptor.name}](../protos/{descriptor.file.name})"


def comments() -> dict[str, str]:
    """What the contracts say of every message, by its full name."""
    files = FileDescriptorSet()
    with tempfile.NamedTemporaryFile() as scratch:
        arguments = [
            "protoc",
            f"--proto_path={PROTOS}",
            f"--proto_path={package_files('grpc_tools') / '_proto'}",
            f"--descriptor_set_out={scratch.name}",
            "--include_source_info",
            *(str(path.relative_to(PROTOS)) for path in sorted(PROTOS.rglob("*.proto"))),
        ]
        if protoc.main(arguments) != 0:
            raise SystemExit("protoc failed; its message is above")
        files.ParseFromString(Path(scratch.name).read_bytes())
    return {
        f"{file.package}.{file.message_type[place.path[1]].name}": " ".join(
            place.leading_comments.split()
        )
        for file in files.file
        for place in file.source_code_info.location
        if len(place.path) == 2 and place.path[0] == MESSAGES  # noqa: PLR2004 - [field, index]
    }


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(map(escaped, line))} |\n" for line in lines)


def escaped(cell: str) -> str:
    """Outside of code a bar would end the cell and `<word>` would be HTML."""
    return cell if cell.startswith("`") else cell.replace("|", "\\|").replace("<", "\\<")


def code(text: str) -> str:
    return f"`{text}`"


def shown(default: str) -> str:
    return {"required": "required", "(none)": NONE, "": NONE}.get(default) or code(default)


def marked(unit: str, *, is_secret: bool) -> str:
    plain = "number" if unit == "1" else unit
    if not is_secret:
        return plain
    return "**secret**" if unit == "secret" else f"{plain}, **secret**"


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "metrics.md": metrics_page,
    "events.md": events_page,
}


def written() -> dict[str, str]:
    """Every page as it should be."""
    return {name: f"{HEADER}\n\n{page()}" for name, page in PAGES.items()}


def stale(folder: Path) -> list[str]:
    """The pages in a folder that are not what the code says today."""
    return [
        name
        for name, text in written().items()
        if not (folder / name).exists() or (folder / name).read_text() != text
    ]


def main() -> int:
    if "--check" not in sys.argv:
        for name, text in written().items():
            (DOCS / name).write_text(text)
        return 0
    outdated = stale(DOCS)
    for name in outdated:
        print(f"stale: docs/{name}; run python tools/generate_docs.py", file=sys.stderr)
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main())
