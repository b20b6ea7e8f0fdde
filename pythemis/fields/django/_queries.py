# SPDX-License-Identifier: Apache-2.0
"""The manager and the queries of models with sealed fields."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

from django.db import connections, models, transaction
from django.db.models import Case, F, Value, When
from django.db.models.expressions import OrderBy
from django.db.models.functions import Cast
from django.db.models.query import QuerySet

from pythemis._core.errors import wrong_value
from pythemis.fields._errors import ERRORS

from ._cells import GOING, READY, Held, Index, Sealed
from ._guards import inserting, is_sealed
from ._hooks import sealed_fields, with_companions
from ._opening import open_all, seal_all
from ._values import opening_iterable

_AT_ONCE = 100  # rows of one UPDATE


class SealedQuerySet(QuerySet):  # type: ignore[misc, unused-ignore]
    """Queries that seal what they write and open what they list, with their ``a...`` forms.

    Reading needs this class for ``values()`` and ``values_list()``, and writing for ``update()``,
    ``bulk_update()``, and ``bulk_create(update_conflicts=True)``. With another manager these
    return sealed values, or refuse.
    """

    __module__ = "pythemis.fields.django"
    _new: list[Held] | tuple[()] = ()  # what bulk_create() is about to insert

    # ---- Writing ----

    def bulk_create(
        self,
        objs: Iterable[Any],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Any = None,
        unique_fields: Any = None,
    ) -> Any:
        """Insert rows, with the index of each sealed field that a conflict updates."""
        if update_fields:
            update_fields = with_companions(self.model, update_fields)
        self._for_write = True
        arrays = connections[self.db].vendor == "postgresql" and not update_conflicts
        try:
            with inserting(self.model) if arrays else nullcontext():
                return super().bulk_create(
                    objs,
                    batch_size=batch_size,
                    ignore_conflicts=ignore_conflicts,
                    update_conflicts=update_conflicts,
                    update_fields=update_fields,
                    unique_fields=unique_fields,
                )
        finally:
            _set_going(self._new, 0)
            self._new = ()

    def _prepare_for_bulk_create(self, objs: list[Any]) -> Any:
        """Seal all rows in one call a field, once Django has given them their primary keys."""
        parted = super()._prepare_for_bulk_create(objs)
        self._new = seal_all(objs, sealed_fields(self.model))
        _set_going(self._new, READY)
        return parted

    def bulk_update(
        self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None
    ) -> int:
        """Update these fields of rows, each sealed for its row, with their indexes."""
        rows = list(objs)
        names = with_companions(self.model, fields)
        sealed = [field for field in sealed_fields(self.model) if field.name in names]
        if not (sealed and all(row._is_pk_set() for row in rows)):
            return int(super().bulk_update(rows, names, batch_size=batch_size))
        held = seal_all(rows, sealed)
        try:
            _set_going(held, GOING)
            return int(super().bulk_update(rows, names, batch_size=batch_size or _AT_ONCE))
        finally:
            _set_going(held, 0)

    def update(self, **kwargs: Any) -> int:
        """Update all rows; a value of a sealed field is sealed for each of them.

        Raises:
            FieldError: an expression for a sealed field, which the database would compute; or
                another primary key, to which the cells of the rows are not bound.
        """
        sealed = {
            field: kwargs[field.name] for field in sealed_fields(self.model) if field.name in kwargs
        }
        for field, value in sealed.items():
            if value is not None and not hasattr(value, "resolve_expression"):
                sealed[field] = field.sealable(value)  # which may be null, of a blank address
            kwargs = _without_values(kwargs, field, sealed[field])
        given = {field: value for field, value in sealed.items() if value is not None}
        if not all(_is_ready(value) for value in given.values()):
            return self._update_each(given, kwargs)
        ready = {field.name: value for field, value in given.items()}
        return int(super().update(**kwargs, **ready))

    update.alters_data = True  # type: ignore[attr-defined]

    def _update_each(self, sealed: dict[Any, Any], others: dict[str, Any]) -> int:
        """Seal values for each row that the query finds, and update these rows."""
        self._not_support_combined_queries("update")
        if self.query.is_sliced:
            raise TypeError("Cannot update a query once a slice has been taken.")
        self._for_write = True
        using = self.db
        values = {field: field.sealable(value) for field, value in sealed.items()}
        count = 0
        with transaction.atomic(using=using, savepoint=False):
            query = self._chain()
            features = connections[using].features
            grouped = query.query.distinct or query.query.group_by is not None
            if features.has_select_for_update and not grouped:
                of = ("self",) if features.has_select_for_update_of else ()
                query = query.select_for_update(of=of)
            names = [key.attname for key in self.model._meta.pk_fields]
            found = QuerySet.values_list(query.order_by(), *names)
            rows = list(dict.fromkeys(found))  # a join may find one twice
            for at in range(0, len(rows), _AT_ONCE):
                part = rows[at : at + _AT_ONCE]
                count += self._update_rows(part, values, others, using)
        self._result_cache = None
        return count

    def _update_rows(
        self, rows: list[Any], values: dict[Any, Any], others: dict[str, Any], using: str
    ) -> int:
        keys = [row[0] if len(row) == 1 else row for row in rows]
        columns = dict(others)
        for field, value in values.items():
            if value is None:  # PostgreSQL would take a choice among nulls for text
                columns |= _without_values({}, field, None)
                continue
            cases = []
            bound = rows if field.bind == "row" else None
            cells = field.cipher().seal_all([value] * len(rows), bound)
            for key, cell in zip(keys, cells, strict=True):
                sealed = Value(None if cell is None else Sealed(cell), output_field=field)
                cases.append(When(pk=key, then=sealed))
            columns[field.name] = Case(*cases, output_field=field)
            if field.index is not None:
                columns[field.companion_name()] = _index_of(field, value)
        fresh = type(self)(model=self.model, using=using)
        return int(fresh.filter(pk__in=keys).update(**columns))

    # ---- Reading ----

    def values(self, *fields: Any, **expressions: Any) -> Any:
        """Return dictionaries, with opened values; the fields of indexes must be named."""
        names = self._selected(fields, expressions)
        hidden = self._sealed_among(names)
        if not hidden:
            return super().values(*names, **expressions)
        return self._opening(names, expressions, hidden, "dict")

    def values_list(self, *fields: Any, flat: bool = False, named: bool = False) -> Any:
        """Return tuples, or single values, with opened values."""
        names = self._selected(fields, {})
        hidden = self._sealed_among(names)
        if not hidden or (flat and named) or (flat and len(fields) > 1):
            return super().values_list(*names, flat=flat, named=named)
        if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            wrong_value(ERRORS, "values_list() of a sealed field takes names only, each once")
        return self._opening(names, {}, hidden, "flat" if flat else "named" if named else "tuple")

    def _selected(self, fields: tuple[Any, ...], expressions: dict[str, Any]) -> tuple[Any, ...]:
        """Return the names of what is listed: all fields but those of indexes, if none is given."""
        if fields or expressions or not sealed_fields(self.model):
            return fields
        indexes = {
            field.companion_name() for field in sealed_fields(self.model) if field.index is not None
        }
        names = [field.attname for field in self.model._meta.concrete_fields]
        return (*(name for name in names if name not in indexes), *self.query.annotations)

    def _sealed_among(self, names: Iterable[Any]) -> list[Any]:
        there = {name for name in names if isinstance(name, str)}
        return [field for field in sealed_fields(self.model) if field.name in there]

    def _opening(
        self, names: tuple[Any, ...], expressions: dict[str, Any], sealed: list[Any], form: str
    ) -> Any:
        if self.query.distinct or self.query.group_by is not None:
            wrong_value(
                ERRORS,
                f"{sealed[0].shown()} is sealed: the database cannot group its rows by value",
            )
        keys = [key.attname for field in sealed for key in field.key_fields()]
        more = tuple(dict.fromkeys(key for key in keys if key not in names))
        listed = (*names, *expressions)
        clone = QuerySet.values(self, *names, *more, **expressions)
        clone._iterable_class = opening_iterable(listed, sealed, form)
        return clone

    def in_bulk(self, id_list: Any = None, *, field_name: str = "pk") -> dict[Any, Any]:
        """Return rows by primary key, or by a unique field, which may be sealed."""
        found = [field for field in sealed_fields(self.model) if field.name == field_name]
        if not (found and found[0].is_unique):
            return dict(super().in_bulk(id_list, field_name=field_name))
        query = self._chain()
        if id_list is not None:
            query = query.filter(**{f"{field_name}__in": list(id_list)})
        rows = list(query)
        open_all(rows, field_name)
        return {getattr(row, field_name): row for row in rows}

    # ---- What the database cannot do with cells ----

    def order_by(self, *field_names: Any) -> Any:
        """Order rows, but not by a sealed field: cells have no order."""
        self._refuse(field_names, "ordered by")
        return super().order_by(*field_names)

    def earliest(self, *fields: Any) -> Any:
        """Return the first row in an order, but not that of a sealed field."""
        self._refuse(fields, "ordered by")
        return super().earliest(*fields)

    def latest(self, *fields: Any) -> Any:
        """Return the last row in an order, but not that of a sealed field."""
        self._refuse(fields, "ordered by")
        return super().latest(*fields)

    def distinct(self, *field_names: Any) -> Any:
        """Return distinct rows; cells are all different."""
        self._refuse(field_names, "told apart by")
        if self._fields is not None:
            self._refuse(self._fields, "told apart by")
        return super().distinct(*field_names)

    def annotate(self, *args: Any, **kwargs: Any) -> Any:
        """Annotate rows with what the database computes, but not of a sealed field."""
        self._refuse_expressions((*args, *kwargs.values()))
        return super().annotate(*args, **kwargs)

    def alias(self, *args: Any, **kwargs: Any) -> Any:
        """Name what the database computes, but not of a sealed field."""
        self._refuse_expressions((*args, *kwargs.values()))
        return super().alias(*args, **kwargs)

    def aggregate(self, *args: Any, **kwargs: Any) -> Any:
        """Compute over all rows, but not over a sealed field."""
        self._refuse_expressions((*args, *kwargs.values()))
        return super().aggregate(*args, **kwargs)

    def _refuse(self, given: Iterable[Any], verb: str) -> None:
        sealed = {field.name: field for field in sealed_fields(self.model)}
        for each in given:
            inside = each.expression if isinstance(each, OrderBy) else each
            name = inside.name if isinstance(inside, F) else inside
            field = sealed.get(name.lstrip("-")) if isinstance(name, str) else None
            if field is not None:
                wrong_value(ERRORS, f"rows cannot be {verb} {field.shown()}, which is sealed")
            if not isinstance(inside, (str, F)):
                self._refuse_expressions([inside])

    def _refuse_expressions(self, given: Iterable[Any]) -> None:
        """Refuse functions of a sealed field; conditions on it are those of filter()."""
        sealed = {field.name: field for field in sealed_fields(self.model)}
        left = [each for each in given if hasattr(each, "get_source_expressions")]
        while left:
            expression = left.pop()
            for inside in expression.get_source_expressions():
                field = sealed.get(inside.name) if isinstance(inside, F) else None
                if field is not None:
                    wrong_value(ERRORS, f"the database cannot compute with {field.shown()}")
                if hasattr(inside, "get_source_expressions"):
                    left.append(inside)


SealedManager = models.Manager.from_queryset(SealedQuerySet, class_name="SealedManager")
SealedManager.__module__ = "pythemis.fields.django"
SealedManager.__doc__ = (
    """The manager of models with sealed fields; its queries are a SealedQuerySet."""
)


def _is_ready(value: Any) -> bool:
    """Return whether this is what `update` and Django's bulk_update() make for single rows."""
    return isinstance(value, (Case, Cast)) and is_sealed(value, Sealed)


def _without_values(kwargs: dict[str, Any], field: Any, value: Any) -> dict[str, Any]:
    """Return what else to update: a field that becomes null has no index."""
    if hasattr(value, "resolve_expression") and not _is_ready(value):
        wrong_value(
            ERRORS,
            f"{field.shown()} takes values only, and not what the database computes, such as F()",
        )
    others = {name: each for name, each in kwargs.items() if name != field.name}
    if value is None:
        others[field.name] = None
        if field.index is not None:
            others[field.companion_name()] = None
    return others


def _index_of(field: Any, value: Any) -> Index | None:
    index = field.cipher().index(value)
    return None if index is None else Index(index)


def _set_going(held: Iterable[Held], going: int) -> None:
    for each in held:
        each.going = going
