# SPDX-License-Identifier: Apache-2.0
"""Run Django's own tests of its fields, with a SealedField around each field that they make.

What tools/setup/django_tests.py brings must be on the path. Each model gets a UUID as its primary
key, so that values are bound to their rows. A test may fail for a reason that is listed here; any
other failure is an error.
"""

import importlib
import re
import sys
import types
import unittest
import uuid

import django.db
from django.apps import AppConfig
from django.conf import settings
from django.db import connection, models
from django.test.runner import DiscoverRunner

from pythemis.fields import FieldError
from pythemis.fields.django import BlindIndex, SealedField, SealedManager

KINDS = "Boolean Decimal DateTime Date Time UUID Binary JSON Char Slug Text GenericIPAddress"
KINDS += " Integer BigInteger SmallInteger PositiveInteger PositiveBigInteger PositiveSmallInteger"
TESTS = [
    f"model_fields.{name}"
    for name in (
        "test_binaryfield",
        "test_booleanfield",
        "test_charfield",
        "test_datetimefield",
        "test_decimalfield",
        "test_genericipaddressfield",
        "test_integerfield",
        "test_jsonfield",
        "test_slugfield",
        "test_textfield",
        "test_uuid",
        "tests.GetFieldDisplayTests",
    )
]
# What the error of a test says, or how it is called: why it cannot pass.
ERRORS = {
    r"it has the lookups exact, in and isnull, not": "databases cannot compare sealed values",
    r"(takes|with) values only|cannot compute|cannot be ordered|unknown output": "nor compute",
    r"JSONModel\.value has no blind index": "JSON has no index",
    r"[1-9] queries executed, 0 expected": "a search asks the index first",
}
NAMES = {
    r"test_deconstruct|test_get_transforms": "migrations and queries know the sealed field",
    r"get_(db_)?prep_value": "the database gets cells",
    r"test_invalid_value|test_wrong_value|test_save_(nan|inf)_invalid": "errors hold no values",
    r"test_dumping|test_xml_serialization": "dumps hold no values",
    r"validators|test_backend_range_(save|validation)|test_negative_values": "a cell has no range",
    r"test_json_null_different_from_sql_null|JSONNullTests": "None is NULL",
    r"test_nullbooleanfield_blank|test_has_key_literal_lookup": "it expects counted keys",
    r"test_choices_and_field_display": "choices that are assigned later are not seen",
}

seen = {"test": None}
sealed_in = set()


class Seen(SealedField):
    """A sealed field that notes in which tests it is used."""

    def __getattribute__(self, name):
        sealed_in.add(seen["test"])
        return super().__getattribute__(name)


def sealing(kind):
    """Make a class whose instances are sealed fields around fields of a kind, where that may be."""

    class Sealing(kind):
        def __new__(cls, *args, **options):
            if cls is not Sealing:
                return super().__new__(cls)
            made = kind(*args, **options)
            made.db_index = False
            index = None if kind is models.JSONField else BlindIndex(bits=96)
            try:
                return Seen(made, index=index)
            except FieldError:  # a primary key, a collation, an encoder: see docs/how-to/django.md
                return made

    return Sealing


class Models(types.ModuleType):
    """What the tests get for `django.db.models`."""

    def __init__(self):
        super().__init__("models")
        self.__dict__.update({name: getattr(models, name) for name in dir(models)})
        for name in KINDS.split():
            setattr(self, f"{name}Field", sealing(getattr(models, f"{name}Field")))
        del self.Model

    def __getattr__(self, name):
        if name != "Model":  # which needs the applications
            raise AttributeError(name)

        class Keyed(type(models.Model)):
            def __new__(cls, name, bases, given, **options):
                has_key = any(getattr(value, "primary_key", False) for value in given.values())
                if self.__dict__.get("Model") in bases and not has_key:
                    given["id"] = models.UUIDField(primary_key=True, default=uuid.uuid4)
                return super().__new__(cls, name, bases, given, **options)

        class Model(models.Model, metaclass=Keyed):
            objects = SealedManager()

            class Meta:
                abstract = True
                app_label = "model_fields"

        self.Model = Model
        return Model


class Fields(AppConfig):
    """The application of Django's tests."""

    name = "model_fields"

    def import_models(self):
        """Import models and tests, which see other fields than the rest of Django."""
        django.db.models = Models()
        super().import_models()
        for name in TESTS:
            importlib.import_module(".".join(name.split(".")[:2]))
        django.db.models = models


class Result(unittest.TextTestResult):
    """It notes which test runs."""

    def startTest(self, test):  # noqa: N802
        """Note it."""
        seen["test"] = test.id()
        super().startTest(test)


class Runner(DiscoverRunner):
    """Django's runner of tests."""

    def get_resultclass(self):
        """Return the class above."""
        return Result


def why(name, error):
    """Return why a test cannot pass; None: it should."""
    found = [reason for pattern, reason in ERRORS.items() if re.search(pattern, error)]
    found += [reason for pattern, reason in NAMES.items() if re.search(pattern, name)]
    return found[0] if found else None


def main():
    """Run the tests, and print how many passed; end with an error if others fail than may."""
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=["django.contrib.contenttypes", "__main__.Fields"],
        SEALED_FIELDS_CIPHER="support.shop.keys.CIPHER",
        USE_TZ=False,
    )
    django.setup()
    # Generated columns are computed by the database: their models are left out.
    connection.features.supports_stored_generated_columns = False
    connection.features.supports_virtual_generated_columns = False
    runner = Runner(verbosity=0)
    suite = runner.build_suite(TESTS)
    before = runner.setup_databases()
    result = runner.run_suite(suite)
    runner.teardown_databases(before)
    failed, wrong = {}, []
    for test, error in result.failures + result.errors:
        name = getattr(test, "test_case", test).id()  # of a part of a test
        failed[name] = why(name, error)
        wrong += [name] if failed[name] is None else []
    for reason in sorted(set(failed.values()) - {None}):
        print(f"{list(failed.values()).count(reason):4} cannot pass: {reason}")
    passed = sealed_in - {None} - failed.keys()
    print(f"{len(passed):4} passed with sealed fields")
    return wrong


if __name__ == "__main__":
    sys.exit("\n".join(main()) or 0)
