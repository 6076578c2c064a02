"""What users other than admin may ask, decided on the engine's own syntax tree (``EXPLAIN AST``) and not on the text.

Tables and columns are the engine's own to refuse (``local.clickhouse.roles``). What it lets anybody do and a server
refuses over HTTP is refused here, before the statement runs: a SELECT that reads files of this machine (``file()``) or
writes one (``INTO OUTFILE``), the tables of ``system`` that tell of others, and every statement that is no question and
no INSERT, ``SET ROLE`` first of all. Where the tree leaves a doubt, the answer is no.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from local.clickhouse.users import User
from local.clickhouse.wire import QueryFault

_ROOTS = (
    "SelectWithUnionQuery",
    "SelectIntersectExceptQuery",
    "Explain EXPLAIN",
    "DescribeQuery",
    "ExistsTableQuery",
    "ExistsViewQuery",
    "ExistsDatabaseQuery",
    "ExistsDictionaryQuery",
    "ShowTables",
    "ShowColumns",
    "ShowIndexes",
    "ShowFunctions",
    "ShowCreate",
)
_TABLE_FUNCTIONS = frozenset(
    {"numbers", "numbers_mt", "zeros", "zeros_mt", "values", "generateseries", "generate_series", "view", "format"}
)
_REFUSED_FUNCTIONS = frozenset(
    {"file", "hascolumnintable", "catboostevaluate", "modelevaluate", "evalmlmethod", "getclienthttpheader"}
)
_NAMED_IN_TEXT = ("dictget", "dicthas", "dictisin", "joinget")
"""Functions whose first argument is the name of a dictionary or table."""

_SYSTEM_TABLES = frozenset(
    {
        "aggregate_function_combinators",
        "build_options",
        "collations",
        "columns",
        "contributors",
        "data_type_families",
        "databases",
        "formats",
        "functions",
        "keywords",
        "licenses",
        "numbers",
        "one",
        "settings",
        "table_functions",
        "tables",
        "time_zones",
    }
)
_REFUSED_WORDS = re.compile(
    rb"outfile|infile|additional_table_filter|additional_result_filter|format_template|format_schema|format_values_",
    re.IGNORECASE,
)
"""A file to write or read, and settings that hold expressions or file names: the tree does not show all of these."""

_METADATA = ("information_schema", "INFORMATION_SCHEMA")

Names = Callable[[], Sequence[str]]


class Guard:
    """Decides for one user and request; ``databases`` lists all databases and is asked only when a name needs it."""

    def __init__(self, user: User, table_functions: frozenset[str], databases: Names) -> None:
        self._user = user
        self._unsafe_functions = table_functions - _TABLE_FUNCTIONS | _REFUSED_FUNCTIONS
        self._databases = databases

    def database(self, name: str) -> None:
        """Refuse a current database that is not the user's."""
        if not self._user.may_enter(name) and name not in _METADATA:
            raise self._denied(f"Not enough privileges: database {name}")

    def text(self, statement: bytes) -> None:
        """Refuse what must not even stand in the text."""
        if found := _REFUSED_WORDS.search(statement):
            raise self._denied(f"Not enough privileges: {found[0].decode().lower()}")

    def tree(self, lines: Sequence[str]) -> None:
        """Refuse the statement whose syntax tree this is, if anything in it is not the user's.

        Raises:
            QueryFault: 164 READONLY for a kind of statement, 497 ACCESS_DENIED for what it touches.
        """
        root = lines[0] if lines else ""
        may_insert = self._user.profile == "writer" and root.startswith("InsertQuery")
        may_remove = self._user.may_remove and root.startswith("AlterQuery") and _only_removes(lines)
        if not (root.startswith(_ROOTS) or may_insert or may_remove) or root.startswith("Explain EXPLAIN TABLE"):
            raise QueryFault(164, "READONLY", f"{self._user.name}: Cannot execute query in readonly mode.")
        for at, line in enumerate(lines):
            self._node(line, lines[at + 1 : at + 3], names_database=not root.startswith("Select"))

    def target(self, table: bytes, reaches_out: bool) -> None:
        """Refuse an INSERT into a table function or another's database, or from a file."""
        if self._user.profile == "readonly":
            raise QueryFault(164, "READONLY", f"{self._user.name}: Cannot execute query in readonly mode.")
        if reaches_out:
            raise self._denied("Not enough privileges: only plain tables can be written, with rows of the request")
        self._name(table.decode(errors="replace").replace("`", "").replace('"', ""))

    def _node(self, line: str, following: Sequence[str], names_database: bool) -> None:
        kind, _, rest = line.strip().partition(" ")
        if kind in ("Identifier", "TableIdentifier"):
            name = rest.split(" (alias ", 1)[0]
            if "." in name or names_database:
                self._name(name)
            elif _reads_elsewhere(name.lower()):
                raise self._denied(f"Not enough privileges: function {name}")  # as an argument: arrayMap(file, …)
        elif kind == "ColumnsApplyTransformer":
            raise self._denied("Not enough privileges: APPLY")  # the tree does not say which function
        elif kind == "Function":
            self._function(rest.split(" (", 1)[0], following)

    def _name(self, name: str) -> None:
        database, dot, table = name.partition(".")
        if database == "system" and dot and table not in _SYSTEM_TABLES:
            raise self._denied(f"Not enough privileges: table {name}")
        for existing in self._databases():
            others = not self._user.may_enter(existing) and existing not in ("system", *_METADATA)
            if others and f"{name}.".startswith(f"{existing}."):
                raise self._denied(f"Not enough privileges: database {existing}")

    def _function(self, name: str, following: Sequence[str]) -> None:
        if "." in name:
            self._name(name)  # a view with parameters reads like a function
        lowered = name.lower()
        if lowered in self._unsafe_functions:
            raise self._denied(f"Not enough privileges: function {name}")
        if lowered.startswith(_NAMED_IN_TEXT):
            literal = following[1].strip() if len(following) > 1 else ""
            if not (literal.startswith("Literal '") and literal.endswith("'")):
                raise self._denied(f"Not enough privileges: function {name} with a computed name")
            self._name(literal.removeprefix("Literal '")[:-1])

    def _denied(self, text: str) -> QueryFault:
        return QueryFault(497, "ACCESS_DENIED", f"{self._user.name}: {text}")


def _only_removes(lines: Sequence[str]) -> bool:
    """Whether an ALTER does nothing but remove rows by a condition."""
    commands = [line.strip() for line in lines if line.strip().startswith("AlterCommand ")]
    return bool(commands) and all(command == "AlterCommand DELETE (children 1)" for command in commands)


def _reads_elsewhere(function: str) -> bool:
    return function in _REFUSED_FUNCTIONS or function.startswith(_NAMED_IN_TEXT)
