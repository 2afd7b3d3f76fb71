"""Are identifiers ordered by time, and valid to PostgreSQL and to other programs?"""

from uuid import RFC_4122, UUID

from billwright.kernel.ids import new_id


def test_ids_are_version_7_of_the_standard_library_type():
    made = new_id()
    assert type(made) is UUID
    assert (made.version, made.variant) == (7, RFC_4122)


def test_ids_of_one_process_are_unique_and_in_order():
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(set(made))
