"""Records of any contract, made from its schema."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from schemas.codec import JsonSchema

_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "bytes": st.binary(max_size=12),
    "string": st.text(max_size=8),
}


def values(schema: Any, known: dict[str, JsonSchema] | None = None, *, branch: bool = False) -> st.SearchStrategy[Any]:
    """Values of a schema; a record that is a branch of a union comes with its full name."""
    known = {} if known is None else known
    if isinstance(schema, list):
        return st.one_of([values(item, known, branch=True) for item in schema])
    if isinstance(schema, str):
        return _PRIMITIVES[schema] if schema in _PRIMITIVES else values(known[schema], known, branch=branch)
    return _complex(schema, known, branch=branch)


def _complex(schema: JsonSchema, known: dict[str, JsonSchema], *, branch: bool) -> st.SearchStrategy[Any]:
    match schema["type"]:
        case "record":
            name = f"{schema['namespace']}.{schema['name']}"
            known[name] = schema
            record = st.fixed_dictionaries({f["name"]: values(f["type"], known) for f in schema["fields"]})
            return st.tuples(st.just(name), record) if branch else record
        case "enum":
            return st.sampled_from(schema["symbols"])
        case "array":
            return st.lists(values(schema["items"], known), max_size=3)
        case "map":
            return st.dictionaries(st.text(max_size=4), values(schema["values"], known), max_size=3)
        case _:
            return values(schema["type"], known)
