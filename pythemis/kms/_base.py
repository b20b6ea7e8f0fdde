# SPDX-License-Identifier: Apache-2.0
"""The base of the services: what goes in, what comes out, and what errors show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._arguments import check_name, wrong_type, wrong_value
from ._calls import REFUSED, Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pythemis._hints import Self

PLAIN = 64  # bytes of what is wrapped: the digest of the file's context, and the file's key
LONGEST_BODY = 65535  # bytes that a slot has room for
_CONTEXT_SIZE, _CONTEXT = 47, b"TSFILE1\nservice"


class KeyService:
    """A key service; copies of it are the object itself.

    It can be pickled, so that another process makes the same one, if it holds no secret and no
    client, but functions that give them.

    Args:
        given: the arguments of the class, by name.
        held: the names of those that may be pickled only if they are functions.
    """

    def __init__(self, given: dict[str, Any], held: Sequence[str]) -> None:
        if hasattr(self, "_name"):
            raise wrong_value(f"this {type(self).__name__} is made already; make a new object")
        self._name = check_name(given["name"])
        self._given, self._held = given, held

    @property
    def name(self) -> str:
        """Your name for the key."""
        return self._name

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__qualname__} {self._name!r}>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        for what in self._held:
            if self._given[what] is not None and not callable(self._given[what]):
                raise TypeError(
                    f"{type(self).__qualname__} with this {what} cannot be pickled: pass a "
                    f"function that gives the {what}, or make the service where it is needed"
                )
        return _made_again, (type(self), self._given)

    def wrap(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt a file key (specification, section 8.3).

        Args:
            plain: 64 bytes.
            context: 47 bytes, which the service authenticates.

        Returns:
            1 to 65535 bytes, the body of a slot.

        Raises:
            ServiceError: the service could not do its work.
            ThemisTypeError: an argument of another type.
            ThemisValueError: an argument of another length, or another context.
        """
        if not isinstance(plain, bytes):
            raise wrong_type(f"what is wrapped must be bytes, not {type(plain).__name__}")
        if len(plain) != PLAIN:
            raise wrong_value(f"what is wrapped has {PLAIN} bytes, not {len(plain)}")
        _check_context(context)
        made = self._wrap(plain, context)
        del plain  # a traceback shows what its frames hold
        if isinstance(made, Failure):
            raise made.error(self._name)
        return made

    def unwrap(self, body: bytes, context: bytes) -> bytes | None:
        """Decrypt a file key.

        Args:
            body: what `wrap` returned. Nothing of another form is sent to the service.
            context: the 47 bytes that were given to it.

        Returns:
            The 64 bytes, or None if ``body`` does not decrypt under this key and context.

        Raises:
            ServiceError: the service could not do its work.
            ThemisTypeError: an argument of another type.
            ThemisValueError: another context than one of section 8.3.
        """
        if not isinstance(body, bytes):
            raise wrong_type(f"the body of a slot must be bytes, not {type(body).__name__}")
        _check_context(context)
        if not self._is_body(body):
            return None
        found = self._unwrap(body, context)
        if found is REFUSED:
            return None
        if isinstance(found, Failure):
            raise found.error(self._name)
        return found

    def _is_body(self, body: bytes) -> bool:
        """Return whether the service can have written this."""
        raise NotImplementedError

    def _wrap(self, plain: bytes, context: bytes) -> bytes | Failure:
        raise NotImplementedError

    def _unwrap(self, body: bytes, context: bytes) -> bytes | Failure:
        raise NotImplementedError


def _made_again(kind: Any, given: dict[str, Any]) -> Any:
    return kind(**given)


def _check_context(context: object) -> None:
    if not isinstance(context, bytes):
        raise wrong_type(f"the context must be bytes, not {type(context).__name__}")
    if len(context) != _CONTEXT_SIZE or not context.startswith(_CONTEXT):
        raise wrong_value(f"the context of a key service has {_CONTEXT_SIZE} bytes (section 8.3)")
